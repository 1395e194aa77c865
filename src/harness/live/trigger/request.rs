//! A request that reaches the trigger's webhook: verified and run in a worker, settled here, and answered once nothing of it can get lost.

use serde_json::Value;

use super::{LiveTrigger, News, Polled, Run, could_not_run};
use crate::flow::trigger::{Answer, Incoming};
use crate::harness::protocol::{Arrival, Settling, Start};
use crate::model::{Clock as _, SystemClock};
use crate::store::TriggerLeaseLost;

impl LiveTrigger {
    /// What a request to the trigger's path is answered. It has to be waited for to its end: a service that goes away before sends its
    /// request again, and would otherwise never find it dealt with.
    pub async fn request(&self, incoming: Incoming) -> Answer {
        let subscription = self.kept.state().subscription_data().clone();
        let arrival = Arrival { incoming, input: self.setup.input.clone(), subscription, now: SystemClock.now() };
        match self.run(self.target(), Start::Request(Box::new(arrival))).await {
            Run::Turned { answer, why } => {
                self.report.tell(why.map_or(News::Answered, News::Refused));
                answer
            }
            Run::Failed(fault) => self.failed(fault),
            Run::Succeeded { events, output: _, settling } => self.succeeded(events, settling).await,
        }
    }

    async fn succeeded(&self, events: Vec<Value>, settling: Option<Settling>) -> Answer {
        let (marks, answer) = settling.map(|settling| (settling.marks, settling.answer)).unwrap_or_default();
        match self.settle(None, events, marks).await {
            Ok(Polled::Settled) => answer.unwrap_or_else(|| Answer::empty(202)),
            Ok(Polled::Failed(fault)) => self.failed(fault),
            Err(error) => {
                let answer = self.failed(could_not_run(&format!("{error:#}")));
                if error.is::<TriggerLeaseLost>() {
                    self.breaks(error);
                }
                answer
            }
        }
    }

    /// The service is asked to send it again.
    fn failed(&self, fault: Value) -> Answer {
        self.report.tell(News::Failed(fault));
        Answer::empty(500)
    }
}
