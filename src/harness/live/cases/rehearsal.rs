//! A rehearsal, as the parent sees it: a worker runs one case, asks for nothing, and says what the case has sent.

use anyhow::Result;
use tokio::time::timeout;

use super::super::run::Live;
use crate::harness::process::Worker;
use crate::harness::protocol::{Crossing, Rehearsal, Suites, Task, Word};
use crate::manifest::Exchange;

/// What came of a rehearsal.
pub(super) struct Rehearsed {
    /// What was sent, with the answers; nothing where it ran on a recording.
    pub(super) exchanges: Vec<Exchange>,
    /// What was not as expected.
    pub(super) failures: Vec<String>,
}

impl Live {
    /// Runs one of the recorded cases with the suite's values: on the answers of a transcript, or else on the recording among the files.
    pub(super) async fn rehearse(&self, suites: Suites, transcript: Option<&[Crossing]>) -> Result<Rehearsed> {
        let _turn = self.turns.acquire().await;
        let deadline = self.pool.config.case_deadline;
        loop {
            let mut worker = self.pool.take().await?;
            let warm = worker.tasks > 0;
            let task = Rehearsal { suites: suites.clone(), transcript: transcript.map(<[Crossing]>::to_vec) };
            let mut heard = Heard::default();
            let talk = async {
                // One that is gone tells so when it is listened to.
                let _ = worker.ask(Task::Rehearse(Box::new(task))).await;
                heard.all(&mut worker).await
            };
            let Ok(end) = timeout(deadline, talk).await else {
                worker.stop().await;
                return Ok(failed("it did not end in time and was stopped".to_owned()));
            };
            return Ok(match (end, heard.report) {
                (End::Done, Some(failures)) => {
                    self.pool.give_back(worker);
                    Rehearsed { exchanges: heard.exchanges, failures }
                }
                (End::Dead, None) if warm && !heard.anything => continue,
                (End::Dead, None | Some(_)) => failed(worker.death().await.reason),
                (End::Done, None) | (End::Wrong, None | Some(_)) => failed("it said what it was not asked".to_owned()),
            });
        }
    }
}

fn failed(reason: String) -> Rehearsed {
    Rehearsed { exchanges: Vec::new(), failures: vec![reason] }
}

enum End {
    Done,
    Dead,
    Wrong,
}

/// What a worker has said.
#[derive(Default)]
struct Heard {
    anything: bool,
    exchanges: Vec<Exchange>,
    /// What was not as expected, once it has said so.
    report: Option<Vec<String>>,
}

impl Heard {
    async fn all(&mut self, worker: &mut Worker) -> End {
        while let Ok(word) = worker.hear().await {
            self.anything = true;
            match word {
                Word::Counted(_) | Word::Points(_) | Word::Started(..) | Word::Entered(_) | Word::Ended(_, None, _) => {}
                Word::Recorded(exchanges) => self.exchanges = exchanges,
                Word::Ended(_, Some(report), _) => {
                    let told = report.failures.into_iter().map(|failure| failure.message);
                    self.report.get_or_insert_default().extend(told);
                }
                Word::Done => return End::Done,
                Word::Taped(_)
                | Word::Paused
                | Word::Invalid(_)
                | Word::Asked { .. }
                | Word::Withdrew(_)
                | Word::Began(_)
                | Word::Told(_)
                | Word::Overstayed { .. }
                | Word::Outcome { .. }
                | Word::Turned { .. } => return End::Wrong,
            }
        }
        End::Dead
    }
}
