//! `for` and `fork`.

use futures_util::future::try_join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use jaq_json::Val;

use super::Run;
use super::arguments::Moment;
use super::tasks::{Acted, How};
use crate::flow::data::Data;
use crate::flow::expression::value::to_jq;
use crate::flow::fault::Fault;
use crate::flow::model::{For, Fork, Then};

impl Run<'_> {
    /// Runs the tasks once for every item, each turn with the output of the one before.
    pub(super) async fn loop_over(&self, each: &For, input: &Data, moment: &Moment<'_>) -> Result<Acted, Fault> {
        let list = self.evaluate(&each.list, input, moment)?;
        // How often the tasks are run would tell how long a secret is.
        self.decided(&list, length)?;
        let Some(items) = list.items() else {
            return Err(Fault::expression("`for.in` gives no list"));
        };
        let mut data = input.clone();
        for (index, item) in items.into_iter().enumerate() {
            let index = Data::plain(to_jq(&index.into()));
            let here = moment.with(&each.each, item).with(&each.at, index);
            if let Some(condition) = &each.condition
                && !self.holds(&condition.evaluate(&data, &here).map_err(Fault::expression)?)?
            {
                break;
            }
            self.meter.turn(&self.setting.budget)?;
            let done = self.tasks(&each.tasks, data, here.around.clone()).await?;
            data = done.output;
            if done.how == How::End {
                return Ok(Acted { output: data, then: Some(Then::End) });
            }
        }
        Ok(Acted::with(data))
    }

    /// Runs branches at the same time. The first error ends them all; where they compete, the first that ends well does.
    pub(super) async fn fork(&self, fork: &Fork, input: &Data, moment: &Moment<'_>) -> Result<Acted, Fault> {
        let _open = self.meter.open(&self.setting.budget, fork.branches.len())?;
        // Boxed, because branches within branches would be futures of endless size.
        let branches = fork.branches.iter().map(|branch| Box::pin(self.task(branch, input.clone(), moment.around.clone())));
        if !fork.compete {
            let ended = try_join_all(branches).await?;
            let then = ended.iter().any(|(_, then)| *then == Then::End).then_some(Then::End);
            return Ok(Acted { output: Data::list(ended.into_iter().map(|(output, _)| output).collect()), then });
        }
        let mut racing: FuturesUnordered<_> = branches.collect();
        let mut first_fault = None;
        while let Some(ended) = racing.next().await {
            match ended {
                Ok((output, then)) => return Ok(Acted { output, then: (then == Then::End).then_some(then) }),
                Err(fault) if fault.is_fatal() => return Err(fault),
                Err(fault) => first_fault = first_fault.or(Some(fault)),
            }
        }
        match first_fault {
            Some(fault) => Err(fault),
            None => Ok(Acted::with(input.clone())),
        }
    }
}

/// How many items a list has.
fn length(list: &Val) -> Option<usize> {
    match list {
        Val::Arr(items) => Some(items.len()),
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) | Val::Obj(_) => None,
    }
}
