//! Serves a webhook from its subscription to the end of it.

use std::sync::Arc;

use anyhow::Result;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::LiveTrigger;
use super::poll::wait;
use super::server::Server;

/// Where a webhook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path that the trigger declares.
    pub path: String,
    /// The address that the service knows the connector by; the path stands below it.
    pub public: Url,
}

/// What becomes of the subscription when the webhook is served no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenDone {
    /// It is ended.
    Unsubscribe,
    /// It stands, so that the service goes on sending.
    Keep,
}

/// How serving ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Served {
    /// As it was told to.
    Stopped,
    /// A flow of the subscription failed, RFC 7807.
    Failed(Value),
}

impl Place {
    /// The address that the service sends its requests to.
    pub fn callback_url(&self) -> String {
        format!("{}{}", self.public.as_str().trim_end_matches('/'), self.path)
    }

    /// Whether a path leads here: as the trigger declares it, or below the public address, which something on the way may have left as it is.
    pub(super) fn has(&self, path: &str) -> bool {
        path == self.path || path.strip_prefix(self.public.path().trim_end_matches('/')).is_some_and(|rest| rest == self.path)
    }

    /// The whole address of a request, as the service knows it.
    pub(super) fn url_of(&self, query: Option<&str>) -> String {
        let url = self.callback_url();
        query.map_or_else(|| url.clone(), |query| format!("{url}?{query}"))
    }
}

impl LiveTrigger {
    /// Serves the webhook until it is told to stop: subscribes where the trigger does that, renews, and unsubscribes. Fails where the
    /// trigger can go on no more.
    pub async fn serve(
        self: &Arc<Self>,
        listener: TcpListener,
        place: Place,
        when_done: WhenDone,
        stop: &CancellationToken,
    ) -> Result<Served> {
        let callback_url = place.callback_url();
        let server = Server::new(Arc::clone(self), place);
        // A service may call back while it is being subscribed to.
        let accepting = tokio::spawn(Arc::clone(&server).accept(listener));
        let served = self.served(&callback_url, when_done, stop).await;
        accepting.abort();
        let _ = accepting.await;
        server.close().await;
        served
    }

    async fn served(&self, callback_url: &str, when_done: WhenDone, stop: &CancellationToken) -> Result<Served> {
        let end = self.end();
        tokio::pin!(end);
        let begin = async {
            tokio::select! {
                begun = self.subscribe(Some(callback_url)) => begun.map(Some),
                // What was begun at the service may have been done there; the next start takes it over, or makes it anew.
                () = stop.cancelled() => Ok(None),
            }
        };
        let begun = tokio::select! { begun = begin => begun, lost = &mut end => return Err(lost) };
        let mut renewal = match begun {
            Ok(Some(renewal)) => renewal,
            Ok(None) => return Ok(Served::Stopped),
            Err(fault) => return Ok(Served::Failed(fault)),
        };
        while !stop.is_cancelled() {
            tokio::select! {
                () = wait(renewal) => renewal = self.renew(callback_url).await,
                () = stop.cancelled() => {}
                lost = &mut end => return Err(lost),
            }
        }
        let done = async {
            match when_done {
                WhenDone::Unsubscribe => self.subscribe(None).await.map_or_else(Served::Failed, |_| Served::Stopped),
                WhenDone::Keep => Served::Stopped,
            }
        };
        tokio::select! { done = done => Ok(done), lost = &mut end => Err(lost) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_found_where_it_is_declared_and_below_its_public_address() {
        let place = |public: &str| Place { path: "/events".to_owned(), public: Url::parse(public).unwrap() };
        let bare = place("https://hooks.example.com");
        assert_eq!(bare.callback_url(), "https://hooks.example.com/events");
        assert_eq!(bare.url_of(Some("a=b%20c")), "https://hooks.example.com/events?a=b%20c");
        let below = place("https://example.com/hooks/crm/");
        assert_eq!(below.callback_url(), "https://example.com/hooks/crm/events");
        for (place, path, is_here) in [
            (&bare, "/events", true),
            (&bare, "/events/", false),
            (&bare, "//events", false),
            (&bare, "/", false),
            (&below, "/events", true),
            (&below, "/hooks/crm/events", true),
            (&below, "/hooks/crm/hooks/crm/events", false),
            (&below, "/hooks/crmevents", false),
            (&below, "/hooks/crm", false),
        ] {
            assert_eq!(place.has(path), is_here, "{path}");
        }
    }
}
