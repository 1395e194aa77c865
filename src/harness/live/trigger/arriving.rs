//! Reads a request that arrives, within bounds: it comes from anybody.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::{Body as _, Incoming as Stream};
use hyper::header::HeaderValue;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::serve::Place;
use crate::flow::trigger::{Answer, Incoming, MOST_BODY};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How many bytes the bodies of all requests that are being dealt with may have together.
const MOST_BYTES: usize = 128 << 20;
/// In which unit they are counted: a semaphore counts no further than this allows.
const UNIT: usize = 1 << 10;

/// The room that bodies take.
pub(super) struct Room(Semaphore);

impl Room {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(MOST_BYTES / UNIT))
    }
}

/// Reads a request for the trigger; or says what else it is answered. The permit is the room that its body takes.
pub(super) async fn read<'r>(
    request: Request<Stream>,
    place: &Place,
    room: &'r Room,
) -> Result<(Incoming, Option<SemaphorePermit<'r>>), Answer> {
    let path = request.uri().path();
    if !place.has(path) {
        return Err(Answer::empty(404));
    }
    // A length that is told is refused before the body is sent.
    if request.body().size_hint().lower() > MOST_BODY as u64 {
        return Err(closing(413));
    }
    let (head, stream) = request.into_parts();
    let (body, permit) = timeout(BODY_TIME, body(stream, room)).await.map_err(|_| closing(408))??;
    let query = head.uri.query().unwrap_or_default();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let incoming = Incoming {
        method: head.method.as_str().to_ascii_lowercase(),
        url: place.url_of(head.uri.query()),
        path: place.path.clone(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        body,
    };
    Ok((incoming, permit))
}

async fn body<'r>(mut stream: Stream, room: &'r Room) -> Result<(Vec<u8>, Option<SemaphorePermit<'r>>), Answer> {
    let mut bytes = Vec::new();
    let mut taken: Option<SemaphorePermit<'r>> = None;
    while let Some(frame) = stream.frame().await {
        // A client that breaks off reads no answer.
        let Ok(data) = frame.map_err(|_| closing(400))?.into_data() else { continue };
        if bytes.len() + data.len() > MOST_BODY {
            return Err(closing(413));
        }
        let units = (bytes.len() + data.len()).div_ceil(UNIT) - bytes.len().div_ceil(UNIT);
        let permit = room.0.try_acquire_many(u32::try_from(units).unwrap_or(u32::MAX)).map_err(|_| busy())?;
        match &mut taken {
            Some(taken) => taken.merge(permit),
            None => taken = Some(permit),
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, taken))
}

/// There is too much to do.
pub(super) fn busy() -> Answer {
    Answer::empty(503).header("retry-after", "5")
}

/// The rest of the request is not read, so the connection cannot go on.
fn closing(status: u16) -> Answer {
    Answer::empty(status).header("connection", "close")
}
