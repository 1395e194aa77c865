//! Hears what a run tells, and tells the rest of it where the run was ended from outside: no turn of a task that began is left open.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::flow::{Told, Turn, What};
use crate::model::{Clock as _, SystemClock};

/// Who hears what happens in a run.
pub type Listener<'a> = &'a mut (dyn FnMut(&Told) + Send);

/// Passes on what a run tells.
pub(super) struct Listening<'a> {
    listener: Option<Listener<'a>>,
    open: BTreeMap<u32, Turn>,
}

impl<'a> Listening<'a> {
    pub(super) fn new(listener: Option<Listener<'a>>) -> Self {
        Self { listener, open: BTreeMap::new() }
    }

    /// Whether anybody listens.
    pub(super) fn is_wanted(&self) -> bool {
        self.listener.is_some()
    }

    pub(super) fn hear(&mut self, told: Told) {
        let Some(listener) = &mut self.listener else { return };
        match told.what {
            What::Started => {
                self.open.insert(told.turn.number, told.turn.clone());
            }
            What::Completed | What::Faulted(_) | What::Cancelled => {
                self.open.remove(&told.turn.number);
            }
            What::Retried { .. } | What::Sent(_) | What::Answered { .. } | What::Unanswered(_) => {}
        }
        listener(&told);
    }

    /// Tells that what began last, and all that it is part of, ended with an error, and everything else was broken off.
    pub(super) fn broken_off(&mut self, fault: &Value) {
        let mut failed = self.open.last_key_value().map(|(number, _)| *number);
        for (number, turn) in std::mem::take(&mut self.open).into_iter().rev() {
            let what = if failed == Some(number) {
                failed = turn.within;
                What::Faulted(fault.clone())
            } else {
                What::Cancelled
            };
            if let Some(listener) = &mut self.listener {
                listener(&Told { at: SystemClock.now(), turn, what });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_turn_is_left_open() {
        let mut told = Vec::new();
        let mut listener = |news: &Told| told.push((news.turn.number, news.what.clone()));
        let mut listening = Listening::new(Some(&mut listener));
        let turn = |number: u32, within: Option<u32>| Turn { number, within, name: "t".to_owned(), reference: "/do/0/t".to_owned() };
        let hear = |listening: &mut Listening<'_>, turn, what| listening.hear(Told { at: SystemClock.now(), turn, what });
        hear(&mut listening, turn(1, None), What::Started);
        hear(&mut listening, turn(2, Some(1)), What::Started);
        hear(&mut listening, turn(3, Some(1)), What::Started);
        hear(&mut listening, turn(4, Some(2)), What::Started);
        hear(&mut listening, turn(4, Some(2)), What::Completed);
        let fault = json!({"status": 408});
        listening.broken_off(&fault);
        listening.broken_off(&fault);
        let faulted = || What::Faulted(fault.clone());
        assert_eq!(told[5..], [(3, faulted()), (2, What::Cancelled), (1, faulted())]);
    }
}
