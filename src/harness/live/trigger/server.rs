//! Serves a trigger's webhook over HTTP/1.1. Whoever connects is a stranger: connections, requests, bytes and time are bounded.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming as Stream};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::LiveTrigger;
use super::arriving::{self, Room, busy};
use super::poll::GRACE;
use super::serve::Place;
use crate::flow::trigger::Answer;

/// How many connections are open at once; more wait to be accepted.
const MOST_CONNECTIONS: usize = 512;
/// How many requests are dealt with at once; more are asked to come again.
const MOST_REQUESTS: usize = 256;
/// How long the head of a request may take, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How big the head of a request may be, in bytes.
const MOST_HEAD: usize = 64 << 10;
/// After how long a connection takes no further request, and after how much longer it is closed, whatever it does.
const CONNECTION_TIME: Duration = Duration::from_mins(5);
/// After how long connections are accepted again where the machine has no more of them.
const BREATH: Duration = Duration::from_millis(100);

/// What all connections share.
pub(super) struct Server {
    trigger: Arc<LiveTrigger>,
    place: Place,
    room: Room,
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    /// No more requests are taken.
    closing: CancellationToken,
}

impl Server {
    pub(super) fn new(trigger: Arc<LiveTrigger>, place: Place) -> Arc<Self> {
        let [connections, requests] = [MOST_CONNECTIONS, MOST_REQUESTS].map(|most| Arc::new(Semaphore::new(most)));
        Arc::new(Self { trigger, place, room: Room::new(), connections, requests, closing: CancellationToken::new() })
    }

    /// Accepts connections until it is dropped.
    pub(super) async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    // Where it cannot be had, answers are slower.
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(Arc::clone(&self).connection(stream, permit));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => sleep(BREATH).await,
            }
        }
    }

    /// Takes no more requests, and waits for those that came, for a while.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        let all = u32::try_from(MOST_REQUESTS).unwrap_or(u32::MAX);
        let _ = timeout(GRACE, self.requests.acquire_many(all)).await;
        // Their answers are on the way, and the connections end once they have arrived.
        let all = u32::try_from(MOST_CONNECTIONS).unwrap_or(u32::MAX);
        let _ = timeout(BREATH * 10, self.connections.acquire_many(all)).await;
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, _permit: OwnedSemaphorePermit) {
        let server = Arc::clone(&self);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { server.response(request).await }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(MOST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = self.closing.cancelled() => {}
            () = sleep(CONNECTION_TIME) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(self.trigger.longest_run() + HEAD_TIME, connection).await;
    }

    /// The answer, or that the connection is closed without one.
    async fn response(self: Arc<Self>, request: Request<Stream>) -> io::Result<Response<Full<Bytes>>> {
        Ok(response(self.answer(request).await))
    }

    async fn answer(self: Arc<Self>, request: Request<Stream>) -> Answer {
        let server = Arc::clone(&self);
        let (incoming, room) = match arriving::read(request, &server.place, &server.room).await {
            Ok(read) => read,
            Err(answer) => return answer,
        };
        let Some(turn) = Arc::clone(&self.requests).try_acquire_owned().ok().filter(|_| !self.closing.is_cancelled()) else {
            return busy();
        };
        let working = Arc::clone(&self);
        // It goes on where the client goes away: what has begun is brought to its end, so that it is dealt with when it comes again.
        let work = tokio::spawn(async move {
            let _turn = turn;
            working.trigger.request(incoming).await
        });
        let answer = work.await.unwrap_or_else(|_| Answer::empty(500));
        drop(room);
        answer
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    made(answer).unwrap_or_else(|| {
        let mut failed = Response::new(Full::default());
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

/// The answer as it is sent; nothing where it is none of HTTP.
fn made(answer: Answer) -> Option<Response<Full<Bytes>>> {
    let mut made = Response::new(Full::new(Bytes::from(answer.body)));
    *made.status_mut() = StatusCode::from_u16(answer.status).ok().filter(|status| !status.is_informational())?;
    for (name, value) in &answer.headers {
        made.headers_mut().append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
    }
    Some(made)
}

/// Whether it is no fault of the machine, and the next connection can be accepted at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}
