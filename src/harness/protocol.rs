//! What passes between a worker and its parent: frames of JSON, each after its length in four bytes, little-endian.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::io::AsyncRead;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};
use url::Url;

use crate::flow::exchange::bytes;
use crate::flow::trigger::{Answer as HttpAnswer, Incoming, Marks};
use crate::flow::{Budget, Response, Sending, Target, Told, Unanswered};
use crate::harness::Chosen;
use crate::manifest::{Exchange, HookName, Validation};
use crate::model::{BundleFiles, CaseOutcome, CaseReport, CoveragePoint, Failure, Place, Problem};

/// The largest frame that either side takes, in bytes.
pub(crate) const LARGEST: usize = 64 << 20;

/// How many requests and files one run asks for at once. More wait for their turn.
pub(crate) const MOST_REQUESTS: usize = 64;
/// How many sleeps go on at once in one run: each branch and each limit on a task's time is one.
pub(crate) const MOST_SLEEPS: usize = 4096;
/// What is as good as for ever, in limits of time, and still a moment that a clock can tell.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(1 << 30);

/// The first frame a worker reads: what it may use.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Address space, in bytes.
    pub(crate) memory: u64,
    /// CPU time of one task, in seconds.
    pub(crate) cpu: u64,
}

/// What a worker reads after its limits.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// Something to do.
    Task(Task),
    /// The answer to the question of this number.
    Answer(u64, Answer),
    /// Stop at the next case boundary. Means nothing once the suites are done.
    Pause,
}

/// What a worker is asked to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Read a bundle, and run some of its units.
    Suites(Box<Suites>),
    /// Run more units of the bundle that was read last.
    More(Vec<usize>),
    /// Run one flow whose effects happen in the parent.
    Live(Box<Live>),
    /// Run cases whose effects happen in the parent.
    Cases(Box<Cases>),
    /// Run one case on what was recorded of it.
    Rehearse(Box<Rehearsal>),
}

/// Cases that run live, one after the other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cases {
    pub(crate) suites: Suites,
    /// The connection's values. What a case itself gives counts more.
    pub(crate) connection: Map<String, Value>,
    /// What each flow may use.
    pub(crate) budget: Budget,
    /// How long one evaluation of an expression may take.
    pub(crate) evaluation: Duration,
}

/// A case that runs as its suite says, on the answers that a live run had.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rehearsal {
    pub(crate) suites: Suites,
    /// The answers, in the order of their requests; where there are none, it runs on the recording that is there.
    pub(crate) transcript: Option<Vec<Crossing>>,
}

/// A request that crossed the network, in what tells it from others, and its answer. No secret is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Crossing {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) response: Response,
}

/// A bundle's suites, and what to run of them.
///
/// What is run are units: the runs of cases that are chosen, each with what its suite's hooks do around it, and after the last one of a
/// suite the hook that ends the suite. They are counted in their order; every worker counts in the same way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Suites {
    pub(crate) connector: String,
    pub(crate) files: Vec<(String, Content)>,
    pub(crate) chosen: Chosen,
    /// Suites, by their paths, whose `beforeSuite` has ended a worker, and why.
    pub(crate) broken: Vec<(String, String)>,
    /// The units to run; those that there are not are left out.
    pub(crate) units: Vec<usize>,
}

/// One live run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Live {
    pub(crate) subject: Subject,
    pub(crate) start: Start,
    /// What it may use.
    pub(crate) budget: Budget,
    /// How long one evaluation of an expression may take.
    pub(crate) evaluation: Duration,
    /// Whether the parent wants to hear what happens.
    pub(crate) heard: bool,
}

/// What a flow starts from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Start {
    /// An input.
    Input(Value),
    /// A request that reached the trigger's webhook, if it is one that starts the flow.
    Request(Box<Arrival>),
}

/// A request that reached a trigger's webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Arrival {
    pub(crate) incoming: Incoming,
    /// The trigger's parameters.
    pub(crate) input: Value,
    /// What `subscribe` returned.
    pub(crate) subscription: Value,
    /// When it arrived.
    pub(crate) now: Timestamp,
}

/// Which flow runs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// A stand-alone workflow, with the values of its secrets.
    Workflow { file: String, content: Content, secrets: Map<String, Value> },
    /// One of a connector's flows, with the connection's values.
    Connector { connector: String, files: Vec<(String, Content)>, target: Target, connection: Map<String, Value>, validation: Validation },
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    /// It has read the bundle, and so many units are there to run.
    Counted(usize),
    /// What of the connector its cases can exercise, said before the first of them.
    Points(Vec<CoveragePoint>),
    /// It begins this unit.
    Started(usize, Heading),
    /// It begins this part of the unit that it began last, where there are several.
    Entered(Part),
    /// It has ended this unit, which exercised the points of these numbers. There is nothing to report of a hook that ends a suite as it
    /// should.
    Ended(usize, Option<CaseReport>, Vec<usize>),
    /// The flow of a live case begins, or has ended: what is sent between the two is the case's own.
    Taped(bool),
    /// What the case that it rehearses has sent, with the answers.
    Recorded(Vec<Exchange>),
    /// It has done all it was asked.
    Done,
    /// It has stopped before the next unit, as it was asked to.
    Paused,
    /// It did not begin, for these reasons.
    Invalid(Vec<Problem>),
    /// It asks for an effect, and goes on once it has the answer. No number comes twice.
    Asked { number: u64, question: Question, during: Option<String> },
    /// It no longer needs the answer to the question of this number.
    Withdrew(u64),
    /// A task begins, by where it stands: said where nobody listens, who would be told so.
    Began(String),
    /// What happened in the flow.
    Told(Box<Told>),
    /// It ends itself, because the flow overstays. `during` is the task that began last.
    Overstayed { limit: Overstayed, during: Option<String> },
    /// The flow ended: its output, or the error that ended it (RFC 7807), the events it emitted, and what did not fit its schema.
    /// Where it was a trigger's and succeeded, what the settlement of the run needs.
    Outcome { result: Result<Value, Value>, events: Vec<Value>, warnings: Vec<String>, settling: Option<Box<Settling>> },
    /// The request starts no flow: what it is answered, and why where it is refused.
    Turned { answer: HttpAnswer, why: Option<String> },
}

/// What a trigger's expressions say of a run that succeeded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Settling {
    pub(crate) marks: Marks,
    /// What the request is answered that started it.
    pub(crate) answer: Option<HttpAnswer>,
}

/// An effect that happens in the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Question {
    /// A request.
    Send(Box<Sending>),
    /// Time that passes.
    Sleep(Duration),
    /// A file that belongs to the flow.
    File(String),
}

/// What came of an effect.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Response(Result<Response, Unanswered>),
    Slept,
    File(Result<Content, Unanswered>),
}

/// Which limit a flow overstays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Overstayed {
    /// That of one evaluation.
    Evaluation,
    /// That of the whole run.
    Run,
}

/// A part of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// The case itself.
    Case,
    /// A hook of the suite at this path.
    Hook(HookName, String),
}

/// Which case, told before it runs: it may be the last that the worker tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Heading {
    pub(crate) suite: String,
    pub(crate) case: String,
    pub(crate) place: Place,
    pub(crate) target: String,
}

impl Heading {
    /// The report of a case that passed where nothing failed.
    pub(crate) fn report(self, failures: Vec<Failure>, began: Instant) -> CaseReport {
        CaseReport {
            suite: self.suite,
            case: self.case,
            place: self.place,
            target: self.target,
            outcome: if failures.is_empty() { CaseOutcome::Passed } else { CaseOutcome::Failed },
            failures,
            skipped: None,
            micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// A file's bytes: as text where they are text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Content(#[serde(with = "bytes")] Vec<u8>);

impl Content {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A bundle's files as they travel.
pub(crate) fn pack(files: &BundleFiles) -> Vec<(String, Content)> {
    files.iter().map(|(path, bytes)| (path.to_owned(), Content::of(bytes))).collect()
}

/// A bundle's files as they arrive.
pub(crate) fn unpack(files: Vec<(String, Content)>) -> BundleFiles {
    BundleFiles::new(files.into_iter().map(|(path, content)| (path, content.bytes())).collect())
}

/// Room for what most messages need, so that they do not grow step by step, in bytes.
const USUAL: usize = 2 << 10;

/// A message as a frame.
pub(crate) fn frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(USUAL);
    bytes.extend([0; 4]);
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).ok().filter(|length| *length as usize <= LARGEST);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("a message is bigger than {LARGEST} bytes")))?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// The length that a frame announces, where it is allowed.
pub(crate) fn length(header: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(header) as usize;
    if length > LARGEST { Err(io::Error::other(format!("a message is bigger than {LARGEST} bytes"))) } else { Ok(length) }
}

/// Reads a message; nothing where the other side has closed.
pub(crate) fn read<M: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<M>> {
    let mut header = [0; 4];
    match from.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let mut bytes = vec![0; length(header)?];
    from.read_exact(&mut bytes)?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// One end of a pipe, frame by frame.
pub(crate) type Frames<R> = FramedRead<R, LengthDelimitedCodec>;

/// Frames out of what is read.
pub(crate) fn frames<R: AsyncRead>(from: R) -> Frames<R> {
    FramedRead::new(from, LengthDelimitedCodec::builder().little_endian().max_frame_length(LARGEST).new_codec())
}

/// Waits for the next message; nothing where the other side has closed. Where it is given up, nothing is lost.
pub(crate) async fn next<M: DeserializeOwned, R: AsyncRead + Unpin>(frames: &mut Frames<R>) -> io::Result<Option<M>> {
    match frames.next().await {
        Some(frame) => Ok(Some(serde_json::from_slice(&frame?)?)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let mut pipe = Vec::new();
        let files = vec![("a".to_owned(), Content::of(b"text")), ("b".to_owned(), Content::of(&[0xff, 0]))];
        let suites = Suites { connector: "c".to_owned(), files, chosen: Chosen::All, broken: Vec::new(), units: vec![3] };
        pipe.extend(frame(&Said::Task(Task::Suites(Box::new(suites)))).unwrap());
        let mut pipe = pipe.as_slice();
        let Some(Said::Task(Task::Suites(suites))) = read(&mut pipe).unwrap() else { panic!() };
        assert_eq!(suites.units, [3]);
        let files = unpack(suites.files);
        assert_eq!((files.get("a"), files.get("b")), (Some(&b"text"[..]), Some(&[0xff, 0][..])));
        assert!(read::<Said>(&mut pipe).unwrap().is_none());
    }

    #[test]
    fn an_endless_frame_is_refused_before_it_is_read() {
        assert!(read::<Word>(&mut &[0xff, 0xff, 0xff, 0xff, b'{'][..]).unwrap_err().to_string().contains("bigger"));
    }
}
