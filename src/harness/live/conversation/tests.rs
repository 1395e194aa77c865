//! The test plays the worker, an honest one or one that a bundle has taken over.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::Barrier;

use super::*;
use crate::flow::{Budget, Request, Response, Sending, Told, Turn, Unanswered, What};
use crate::harness::protocol::{Live, Said, Start, Subject};

const LONG: Duration = Duration::from_secs(30);

/// Answers two requests once both are there.
struct Both(Barrier);

#[async_trait]
impl Transport for &Both {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        self.0.wait().await;
        Ok(Response { status: 200, headers: Vec::new(), body: request.method.into_bytes() })
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn random(&self) -> u64 {
        0
    }
}

impl Line for Both {
    fn with_place(&self, _: Arc<Place>) -> Box<dyn Transport + '_> {
        Box::new(self)
    }
}

/// Answers every request with this much, once there is room, and counts the answers.
#[derive(Default)]
struct Heavy {
    bytes: usize,
    answered: AtomicUsize,
}

/// The same, for one request.
struct Heavily<'a>(&'a Heavy, Arc<Place>);

#[async_trait]
impl Transport for Heavily<'_> {
    async fn exchange(&self, _: Request) -> Result<Response, Unanswered> {
        self.1.take(self.0.bytes).await;
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        Ok(Response { status: 200, headers: Vec::new(), body: vec![b'x'; self.0.bytes] })
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {}

    fn random(&self) -> u64 {
        0
    }
}

impl Line for Heavy {
    fn with_place(&self, place: Arc<Place>) -> Box<dyn Transport + '_> {
        Box::new(Heavily(self, place))
    }
}

/// The worker's end of the pipe.
struct Played(DuplexStream);

impl Played {
    async fn say(&mut self, word: &Word) {
        self.0.write_all(&protocol::frame(word).unwrap()).await.unwrap();
    }

    async fn hear(&mut self) -> Said {
        let length = self.0.read_u32_le().await.unwrap();
        let mut frame = vec![0; length as usize];
        self.0.read_exact(&mut frame).await.unwrap();
        serde_json::from_slice(&frame).unwrap()
    }

    async fn ask(&mut self, number: u64, question: Question) {
        self.say(&Word::Asked { number, question, during: Some(format!("/do/{number}")) }).await;
    }
}

fn task() -> Task {
    let subject = Subject::Workflow { file: String::new(), content: Content::of(b""), secrets: serde_json::Map::new() };
    Task::Live(Box::new(Live { subject, start: Start::Input(Value::Null), budget: Budget::default(), evaluation: LONG, heard: true }))
}

fn send(method: &str) -> Question {
    let request = Request { method: method.to_owned(), url: "http://h/".parse().unwrap(), headers: Vec::new(), body: None };
    Question::Send(Box::new(Sending { request, credentials: None, rate: None }))
}

fn outcome() -> Word {
    Word::Outcome { result: Ok(Value::Null), events: Vec::new(), warnings: Vec::new(), settling: None }
}

/// What is left of a conversation: its end, the task that began last, whether the worker can be used again, and what was told.
type Left = (End, Option<String>, bool, Vec<What>);

async fn converse(silence: Duration, limit: Duration, play: impl AsyncFnOnce(&mut Played)) -> Left {
    converse_over(&Both(Barrier::new(2)), silence, limit, play).await
}

/// How big the answers are that there is room for four of.
const SIZE: usize = 40 << 10;

async fn converse_over(line: &dyn Line, silence: Duration, limit: Duration, play: impl AsyncFnOnce(&mut Played)) -> Left {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (read, write) = tokio::io::split(ours);
    let (room, session) = (Room::for_answers_of(SIZE), Session::default());
    let sources = Sources { line, session: &session, files: &Files::None, room: &room };
    let mut told = Vec::new();
    let mut listener = |news: &Told| told.push(news.what.clone());
    let mut listening = Listening::new(Some(&mut listener));
    let mut conversation = Conversation::new(sources);
    let patience = Patience { end: Instant::now() + limit, time: limit, silence };
    let mut words = protocol::frames(read);
    let mut played = Played(theirs);
    let playing = async {
        assert!(matches!(played.hear().await, Said::Task(_)));
        play(&mut played).await;
    };
    let held = conversation.hold((write, &mut words), task(), &patience, &mut listening);
    let (end, ()) = tokio::join!(held, playing);
    let (during, clean) = (conversation.during.clone(), conversation.clean);
    (end.unwrap(), during, clean, told)
}

#[tokio::test]
async fn questions_are_answered_at_once_and_news_is_heard_in_order() {
    let turn = Turn { number: 1, within: None, name: "a".to_owned(), reference: "/do/0/a".to_owned() };
    let news = |what| Word::Told(Box::new(Told { at: Timestamp::UNIX_EPOCH, turn: turn.clone(), what }));
    let (end, during, clean, told) = converse(LONG, LONG, async |worker| {
        worker.say(&news(What::Started)).await;
        worker.ask(1, send("ONE")).await;
        worker.ask(2, send("TWO")).await;
        for _ in 0..2 {
            let Said::Answer(number, Answer::Response(Ok(response))) = worker.hear().await else { panic!() };
            assert_eq!(response.body, [&b"ONE"[..], b"TWO"][usize::try_from(number).unwrap() - 1]);
        }
        worker.ask(3, Question::File("x".to_owned())).await;
        assert!(matches!(worker.hear().await, Said::Answer(3, Answer::File(Err(_)))));
        worker.say(&news(What::Completed)).await;
        worker.say(&outcome()).await;
    })
    .await;
    assert!(matches!(end, End::Outcome { result: Ok(Value::Null), .. }));
    assert_eq!((during.as_deref(), clean), (Some("/do/3"), true));
    assert_eq!(told, [What::Started, What::Completed]);
}

#[tokio::test]
async fn answers_wait_until_there_is_room_for_them() {
    const MANY: u64 = 20;
    let heavy = Heavy { bytes: SIZE, ..Heavy::default() };
    let (end, _, clean, _) = converse_over(&heavy, LONG, LONG, async |worker| {
        for number in 1..=MANY {
            worker.ask(number, send("GET")).await;
        }
        // Everything comes to rest, while nothing of the answers is heard.
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        // Four wait to be said, one was read beside them, and the pipe took one or two, as chance would have it.
        let answered = heavy.answered.load(Ordering::Relaxed);
        assert!((5..=7).contains(&answered), "{answered}");
        for _ in 1..=MANY {
            assert!(matches!(worker.hear().await, Said::Answer(_, Answer::Response(Ok(response))) if response.body.len() == SIZE));
        }
        worker.say(&outcome()).await;
    })
    .await;
    assert!(matches!(end, End::Outcome { .. }) && clean);
}

#[tokio::test]
async fn a_withdrawn_question_has_no_further_effect() {
    let (end, _, clean, _) = converse(LONG, LONG, async |worker| {
        worker.ask(1, Question::Sleep(LONG)).await;
        worker.say(&Word::Withdrew(1)).await;
        worker.say(&Word::Withdrew(77)).await;
        worker.say(&outcome()).await;
    })
    .await;
    assert!(matches!(end, End::Outcome { .. }) && clean);
    // One that is left open keeps the worker from being used again.
    let (_, _, clean, _) = converse(LONG, LONG, async |worker| {
        worker.ask(1, Question::Sleep(LONG)).await;
        worker.say(&outcome()).await;
    })
    .await;
    assert!(!clean);
}

#[tokio::test]
async fn where_a_worker_died_is_known_whether_anybody_listens_or_not() {
    let turn = Turn { number: 1, within: None, name: "b".to_owned(), reference: "/do/1/b".to_owned() };
    let (end, during, ..) = converse(LONG, LONG, async |worker| {
        worker.ask(7, Question::Sleep(LONG)).await;
        worker.say(&Word::Told(Box::new(Told { at: Timestamp::UNIX_EPOCH, turn, what: What::Started }))).await;
        worker.say(&outcome()).await;
    })
    .await;
    assert!(matches!(end, End::Outcome { .. }));
    assert_eq!(during.as_deref(), Some("/do/1/b"));
    let (_, during, ..) = converse(LONG, LONG, async |worker| {
        worker.ask(7, Question::Sleep(LONG)).await;
        worker.say(&Word::Began("/do/2/c".to_owned())).await;
        worker.say(&outcome()).await;
    })
    .await;
    assert_eq!(during.as_deref(), Some("/do/2/c"));
}

#[tokio::test]
async fn who_says_nothing_and_waits_for_nothing_is_stuck() {
    let short = Duration::from_millis(20);
    let (end, during, ..) = converse(short, LONG, async |worker| {
        worker.ask(1, Question::Sleep(5 * short)).await;
        assert!(matches!(worker.hear().await, Said::Answer(1, Answer::Slept)));
    })
    .await;
    assert!(matches!(end, End::Overstayed(Overstayed::Evaluation)));
    assert_eq!(during.as_deref(), Some("/do/1"));
    let (end, ..) = converse(short, 5 * short, async |worker| worker.ask(1, Question::Sleep(LONG)).await).await;
    assert!(matches!(end, End::Overstayed(Overstayed::Run)));
}

#[tokio::test]
async fn a_worker_that_asks_for_too_much_is_not_served() {
    let wrong = async |questions: Vec<(u64, Question)>| {
        let (end, ..) = converse(LONG, LONG, async |worker| {
            for (number, question) in questions {
                worker.ask(number, question).await;
            }
        })
        .await;
        match end {
            End::Wrong(reason) => reason,
            End::Outcome { .. } | End::Turned { .. } | End::Invalid(_) | End::Overstayed(_) | End::Dead | End::Done => panic!(),
        }
    };
    let many = (0..=MOST_SLEEPS as u64).map(|number| (number, Question::Sleep(LONG))).collect();
    assert_eq!(wrong(many).await, "it asked for more than 4096 things at once");
    let twice = vec![(1, Question::Sleep(LONG)), (1, Question::Sleep(LONG))];
    assert_eq!(wrong(twice).await, "it asked twice by one number");
}

#[test]
fn a_worker_that_sends_more_than_it_may_is_not_served() {
    let (line, room, session) = (Both(Barrier::new(2)), Room::for_answers_of(SIZE), Session::default());
    let mut conversation = Conversation::new(Sources { line: &line, session: &session, files: &Files::None, room: &room });
    conversation.open.insert(1, Open { handle: AbortHandle::new_pair().0, sleeps: false, weight: weight::MOST - 3 });
    let post = |text: &str| {
        let Question::Send(mut sending) = send("POST") else { panic!() };
        sending.request.body = Some(crate::flow::Body::Text(text.to_owned()));
        Question::Send(sending)
    };
    assert!(conversation.asked(2, post("abc")).is_ok());
    let refused = conversation.asked(3, post("d")).unwrap_err();
    assert_eq!(refused.to_string(), "it asked to send more than 268435456 bytes at once");
}

#[tokio::test]
async fn what_is_no_word_or_too_long_for_one_ends_it() {
    for bytes in [&b"\x02\0\0\0{}"[..], b"\xff\xff\xff\xff{"] {
        let (end, ..) = converse(LONG, LONG, async |worker| worker.0.write_all(bytes).await.unwrap()).await;
        assert!(matches!(end, End::Dead));
    }
    let (end, ..) = converse(LONG, LONG, async |worker| worker.say(&Word::Done).await).await;
    assert!(matches!(end, End::Wrong(_)));
}
