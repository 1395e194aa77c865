//! The World of a stand-alone workflow for now: real time and chance, and no network.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::flow::{Response, Sending, Unanswered, World};
use crate::model::{Clock, SystemClock};

pub(super) struct Offline;

#[async_trait(?Send)]
impl World for Offline {
    async fn send(&self, _: Sending) -> Result<Response, Unanswered> {
        Err(Unanswered::communication("requests are not sent yet: `flow run` reaches the network in a later version"))
    }

    async fn file(&self, _: &str) -> Result<Vec<u8>, Unanswered> {
        Err(Unanswered::configuration("there are no files"))
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn random(&self) -> u64 {
        fastrand::u64(..)
    }

    fn id(&self) -> String {
        format!("{:016x}{:016x}", self.random(), self.random())
    }
}
