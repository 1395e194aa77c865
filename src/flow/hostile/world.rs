//! A World that answers in every bad way, on a clock that only sleeping moves.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::flow::{Response, Sending, Told, Unanswered, VirtualClock, World};

/// How long a slow answer takes.
const SLOW: Duration = Duration::from_secs(3600);

pub(super) struct Hostile {
    pub(super) clock: VirtualClock,
    pub(super) told: RefCell<Vec<Told>>,
    drawn: Cell<u64>,
}

impl Hostile {
    pub(super) fn new(seed: u64) -> Self {
        Self { clock: VirtualClock::new(Timestamp::UNIX_EPOCH), told: RefCell::default(), drawn: Cell::new(seed) }
    }
}

#[async_trait(?Send)]
impl World for Hostile {
    async fn send(&self, _: Sending) -> Result<Response, Unanswered> {
        let answer = |status: u16, kind: &str, body: Vec<u8>| {
            Ok(Response { status, headers: vec![("Content-Type".to_owned(), kind.to_owned()), ("Link".to_owned(), "<".repeat(50))], body })
        };
        match self.random() % 12 {
            0 => Err(Unanswered::communication("nobody is there")),
            1 => Err(Unanswered::timeout("it took too long")),
            2 => answer(503, "text/plain", b"busy".to_vec()),
            3 => answer(302, "", Vec::new()),
            4 => answer(200, "application/json", "[".repeat(5000).into_bytes()),
            5 => answer(200, "application/json", vec![b'7'; 200_000]),
            6 => answer(200, "image/png", vec![0xff; 3000]),
            7 => {
                self.clock.sleep(SLOW).await;
                answer(200, "application/json", b"1".to_vec())
            }
            8 => answer(418, "application/json", br#"{"a": "${ $secrets.key }"}"#.to_vec()),
            9 => answer(200, "application/json", Value::from(vec!["{a}"; 500]).to_string().into_bytes()),
            _ => answer(200, "application/json", br#"{"a": {"b": {"c": "PT1S"}}, "b": [1, 2]}"#.to_vec()),
        }
    }

    async fn file(&self, _: &str) -> Result<Vec<u8>, Unanswered> {
        Err(Unanswered::configuration("there are no files"))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// SplitMix64, Steele, Lea and Flood 2014.
    fn random(&self) -> u64 {
        self.drawn.set(self.drawn.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mixed = self.drawn.get();
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn id(&self) -> String {
        format!("id-{}", self.random())
    }

    fn hear(&self, told: &dyn Fn() -> Told) {
        self.told.borrow_mut().push(told());
    }
}
