//! Single requests over the network, within a run's policy and limits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::body::{self, Encoded};
use super::conversation::Line;
use super::network::{self, Network};
use super::policy::{Policy, Route};
use super::room::Place;
use crate::flow::exchange;
use crate::flow::{Request, Response, Transport, Unanswered};
use crate::harness::EXCHANGE_TIME;
use crate::model::{Clock, SystemClock};

/// Headers that whoever sends the request writes anew, as it is true; those that would change what it means are refused.
const WRITTEN_ANEW: [&str; 4] = ["connection", "content-length", "keep-alive", "proxy-connection"];

/// What a single exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// From the request to the last byte of the response.
    pub time: Duration,
    /// The size of a request's body, in bytes.
    pub request: usize,
    /// The size of a response's body, in bytes.
    pub response: usize,
}

impl Default for ExchangeLimits {
    fn default() -> Self {
        Self { time: EXCHANGE_TIME, request: 16 << 20, response: 16 << 20 }
    }
}

/// Sends requests over the network for one run.
#[derive(Debug, Clone)]
pub struct NetworkTransport {
    network: Network,
    policy: Arc<Policy>,
    limits: ExchangeLimits,
    /// Where the answer is kept; nothing where it takes as much as its limit allows.
    place: Option<Arc<Place>>,
}

impl NetworkTransport {
    /// A transport that keeps to a policy.
    pub fn new(network: Network, policy: Policy, limits: ExchangeLimits) -> Self {
        Self { network, policy: Arc::new(policy), limits, place: None }
    }

    async fn sent(&self, request: reqwest::Request, route: &Route, host: &str) -> Result<Response, Unanswered> {
        let client = self.network.client(route.addresses).map_err(Unanswered::configuration)?;
        let mut response = client.execute(request).await.map_err(|error| unanswered(&error, host))?;
        let most = self.limits.response;
        let too_big = || Unanswered::communication(format!("the response of `{host}` is bigger than {most} bytes"));
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_big());
        }
        let length = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        if let Some(place) = &self.place {
            place.take(length).await;
        }
        let mut body = Vec::with_capacity(length);
        while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error, host))? {
            if chunk.len() > most - body.len() {
                return Err(too_big());
            }
            if let (Some(place), more @ 1..) = (&self.place, (body.len() + chunk.len()).saturating_sub(length)) {
                place.take(more.min(chunk.len())).await;
            }
            body.extend_from_slice(&chunk);
        }
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        Ok(Response { status: response.status().as_u16(), headers, body })
    }
}

impl Line for NetworkTransport {
    fn with_place(&self, place: Arc<Place>) -> Box<dyn Transport + '_> {
        Box::new(Self { place: Some(place), ..self.clone() })
    }
}

#[async_trait]
impl Transport for NetworkTransport {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        let route = self.policy.route(&request.url)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let request = outgoing(request, route.url.clone(), self.limits.request)?;
        let sent = tokio::time::timeout(self.limits.time, self.sent(request, &route, &host)).await;
        sent.unwrap_or_else(|_| Err(Unanswered::timeout(format!("`{host}` did not answer within {} s", self.limits.time.as_secs_f32()))))
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
}

/// The request as it travels.
fn outgoing(request: Request, url: Url, most: usize) -> Result<reqwest::Request, Unanswered> {
    let method = Method::from_bytes(request.method.as_bytes()).ok().filter(|method| *method != Method::CONNECT);
    let method = method.ok_or_else(|| Unanswered::configuration(format!("`{}` is not a method that can be sent", request.method)))?;
    let mut headers = headers(&request)?;
    let encoded = request.body.map(body::encode);
    if let Some(kind) = encoded.as_ref().and_then(|encoded| encoded.content_type.as_ref()) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).map_err(|_| unfit("content-type"))?);
    }
    if encoded.as_ref().is_some_and(|encoded| encoded.bytes.len() > most) {
        return Err(Unanswered::configuration(format!("the request's body is bigger than {most} bytes")));
    }
    let mut url = url;
    if !url.username().is_empty() {
        let credentials = credentials(&url)?;
        headers.entry(AUTHORIZATION).or_insert(credentials);
        // Addresses without a host, which alone have no place for a user, are refused before.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
    }
    if encoded.is_none() && [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut outgoing = reqwest::Request::new(method, url);
    *outgoing.headers_mut() = headers;
    *outgoing.body_mut() = encoded.map(|Encoded { bytes, .. }| bytes.into());
    Ok(outgoing)
}

fn headers(request: &Request) -> Result<HeaderMap, Unanswered> {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 2);
    for (name, value) in &request.headers {
        if name.eq_ignore_ascii_case("host") {
            meant_host(&request.url, value)?;
            continue;
        }
        if WRITTEN_ANEW.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        if exchange::is_refused(name) {
            return Err(Unanswered::configuration(exchange::refusal(name)));
        }
        let named = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit(name))?;
        headers.append(named, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unfit(name))?);
    }
    Ok(headers)
}

/// Refuses another host than the address has: behind one address there may be services that the list does not allow.
fn meant_host(url: &Url, value: &str) -> Result<(), Unanswered> {
    let host = url.host_str().unwrap_or_default();
    let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    if [host, &with_port].iter().any(|meant| meant.eq_ignore_ascii_case(value)) {
        return Ok(());
    }
    Err(Unanswered::configuration(format!("the header `host` names another host than the address, `{host}`")))
}

fn credentials(url: &Url) -> Result<HeaderValue, Unanswered> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decoded(url.username()), vec![b':'], decoded(url.password().unwrap_or_default())].concat();
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).map_err(|_| unfit("authorization"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unfit(header: &str) -> Unanswered {
    Unanswered::configuration(format!("the header `{header}` cannot be sent"))
}

fn unanswered(error: &reqwest::Error, host: &str) -> Unanswered {
    if let Some(refused) = network::refusal(error) {
        return Unanswered::configuration(refused.to_string());
    }
    if let Some(distrust) = network::distrust(error, host) {
        return Unanswered::communication(distrust);
    }
    if error.is_timeout() {
        return Unanswered::timeout(format!("`{host}` could not be reached in time"));
    }
    let cause = network::cause(error);
    Unanswered::communication(if error.is_dns() {
        format!("the host `{host}` could not be looked up: {cause}")
    } else if error.is_connect() {
        format!("`{host}` could not be reached: {cause}")
    } else {
        format!("the exchange with `{host}` broke off: {cause}")
    })
}
