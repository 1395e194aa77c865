//! The requests that a run is expected to send, in their order, and which of them have come.

use std::collections::BTreeMap;

use super::judging::Rules;
use super::spot::Spot;
use crate::manifest::{Exchange, ExpectedRequest, MockedResponse};
use crate::model::Failure;

/// How many requests that never came are told one by one.
const MOST_TOLD: usize = 10;

/// One exchange of a suite.
pub(super) struct Member<'a> {
    pub(super) request: &'a ExpectedRequest,
    pub(super) response: &'a MockedResponse,
    pub(super) rules: Rules,
    times: u16,
    /// Where it stands: the entry of the list, and of the group within it.
    position: (usize, Option<usize>),
}

/// What is expected next: one exchange, or several in any order; all of it as often as the group comes.
struct Step {
    members: std::ops::Range<usize>,
    times: u16,
}

/// The exchanges of one run.
pub(super) struct Script<'a> {
    spot: Spot<'a>,
    members: Vec<Member<'a>>,
    steps: Vec<Step>,
    /// The step that is under way, and how often it is still to come, this time among them.
    at: usize,
    rounds: u16,
    /// Which of its members are still to come this time, and how often.
    open: Vec<(usize, u16)>,
    came: u64,
}

impl<'a> Script<'a> {
    /// Nothing has come yet; `spot` is the list of exchanges. The error is an exchange that nothing can be made of.
    pub(super) fn of(exchanges: &'a [Exchange], spot: Spot<'a>) -> Result<Self, Failure> {
        let mut script = Self { spot, members: Vec::new(), steps: Vec::new(), at: 0, rounds: 0, open: Vec::new(), came: 0 };
        for (index, exchange) in exchanges.iter().enumerate() {
            let begin = script.members.len();
            let times = exchange.times.unwrap_or(1);
            if let Some(flaw) = exchange.flaws().into_iter().next() {
                return Err(spot.index(index).fails(flaw.message));
            }
            match (&exchange.request, &exchange.response) {
                (Some(request), Some(response)) => {
                    script.members.push(Member { request, response, rules: Rules::default(), times, position: (index, None) });
                    script.steps.push(Step { members: begin..begin + 1, times: 1 });
                }
                _ => {
                    let members = exchange.in_any_order.iter().enumerate().filter_map(|(inner, exchange)| {
                        let (request, response) = (exchange.request.as_ref()?, exchange.response.as_ref()?);
                        let times = exchange.times.unwrap_or(1);
                        Some(Member { request, response, rules: Rules::default(), times, position: (index, Some(inner)) })
                    });
                    script.members.extend(members);
                    if script.members.len() > begin {
                        script.steps.push(Step { members: begin..script.members.len(), times });
                    }
                }
            }
        }
        script.begin();
        Ok(script)
    }

    /// Begins the step at hand, or the next that has something in it.
    fn begin(&mut self) {
        self.rounds = self.steps.get(self.at).map_or(0, |step| step.times);
        self.open_round();
    }

    fn open_round(&mut self) {
        let members = self.steps.get(self.at).map_or(0..0, |step| step.members.clone());
        self.open = members.map(|member| (member, self.members[member].times)).collect();
    }

    /// The exchange that comes with a request, which counts as having come. The first that fits, where several can be next.
    pub(super) fn take(&mut self, mut fits: impl FnMut(&Member<'a>) -> bool) -> Option<&Member<'a>> {
        let found = self.open.iter().position(|(member, _)| fits(&self.members[*member]))?;
        self.came += 1;
        let (member, left) = &mut self.open[found];
        let member = *member;
        *left -= 1;
        if *left == 0 {
            self.open.remove(found);
        }
        if self.open.is_empty() {
            self.rounds = self.rounds.saturating_sub(1);
            if self.rounds > 0 {
                self.open_round();
            } else {
                self.at += 1;
                self.begin();
            }
        }
        Some(&self.members[member])
    }

    /// What can come next.
    pub(super) fn outstanding(&self) -> impl ExactSizeIterator<Item = &Member<'a>> {
        self.open.iter().map(|(member, _)| &self.members[*member])
    }

    /// What comes after that.
    pub(super) fn later(&self) -> &[Member<'a>] {
        self.steps.get(self.at + 1).map_or(&[], |step| &self.members[step.members.start..])
    }

    /// What came before the step at hand, the latest first.
    pub(super) fn before(&self) -> impl Iterator<Item = &Member<'a>> {
        let end = self.steps.get(self.at).map_or(self.members.len(), |step| step.members.start);
        self.members[..end].iter().rev()
    }

    /// How many requests came.
    pub(super) fn came(&self) -> u64 {
        self.came
    }

    /// How many are expected in all.
    pub(super) fn expected(&self) -> u64 {
        self.steps.iter().map(|step| u64::from(step.times) * self.once(step)).sum()
    }

    fn once(&self, step: &Step) -> u64 {
        self.members[step.members.clone()].iter().map(|member| u64::from(member.times)).sum()
    }

    /// Calls `told` with where an exchange stands.
    pub(super) fn at<T>(&self, member: &Member<'_>, told: impl FnOnce(Spot<'_>) -> T) -> T {
        let entry = self.spot.index(member.position.0);
        match member.position.1 {
            None => told(entry),
            Some(inner) => told(entry.key("inAnyOrder").index(inner)),
        }
    }

    /// The requests that never came.
    pub(super) fn unsent(&self, named: impl Fn(&ExpectedRequest) -> String) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut number = self.came + 1;
        let mut untold = 0;
        let open: BTreeMap<usize, u16> = self.open.iter().copied().collect();
        for (index, step) in self.steps.iter().enumerate().skip(self.at) {
            let is_begun = index == self.at;
            let rounds = if is_begun { self.rounds.saturating_sub(1) } else { step.times };
            let whole = u64::from(rounds);
            let is_alone = step.members.len() == 1;
            let left = |member: usize| {
                let this_time = open.get(&member).filter(|_| is_begun).copied().map_or(0, u64::from);
                this_time + whole * u64::from(self.members[member].times)
            };
            let all: u64 = step.members.clone().map(left).sum();
            for (member, left) in step.members.clone().map(|member| (&self.members[member], left(member))).filter(|(_, left)| *left > 0) {
                if failures.len() == MOST_TOLD {
                    untold += left;
                    continue;
                }
                let which = which(number, number + all - 1, left, is_alone);
                failures.push(self.at(member, |spot| spot.key("request").fails(format!("{which} never sent: {}", named(member.request)))));
            }
            number += all;
        }
        if untold > 0 {
            failures.push(format!("{untold} more requests were never sent").into());
        }
        failures
    }
}

/// Which requests, of those from `first` to `last`, and the verb.
fn which(first: u64, last: u64, count: u64, is_alone: bool) -> String {
    match (is_alone, count) {
        (_, 1) if first == last => format!("request {first} was"),
        (true, _) => format!("requests {first} to {last} were"),
        (false, 1) => format!("one of the requests {first} to {last} was"),
        (false, _) => format!("{count} of the requests {first} to {last} were"),
    }
}
