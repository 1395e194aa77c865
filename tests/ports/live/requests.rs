//! Single requests: what travels, where it may go, and how much of an answer is taken.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use switchboard::flow::{Body, Part, Request, Response, Transport as _, Unanswered, UnansweredKind};
use switchboard::harness::live::{Addresses, Authorities, ExchangeLimits, HostMapping, Network, NetworkTransport, Policy, Resolver};

use crate::support::http::{Answer, Service};

/// Looks every name up in the same way.
pub(super) struct Everywhere(pub(super) &'static [&'static str]);

#[async_trait]
impl Resolver for Everywhere {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.iter().map(|address| address.parse().unwrap()).collect())
    }
}

pub(super) fn request(method: &str, url: &str) -> Request {
    Request { method: method.to_owned(), url: url.parse().unwrap(), headers: Vec::new(), body: None }
}

pub(super) fn anywhere() -> Policy {
    Policy { addresses: Addresses::Any, ..Policy::default() }
}

fn transport(policy: Policy) -> NetworkTransport {
    NetworkTransport::new(Network::default(), policy, ExchangeLimits::default())
}

async fn send(request: Request) -> Result<Response, Unanswered> {
    transport(anywhere()).exchange(request).await
}

#[tokio::test]
async fn requests_arrive_as_they_are_meant() {
    let service = Service::start(|request| match request.path() {
        "/json" => Answer::json(json!({ "a": 1 })).header("X-Two", "1").header("X-Two", "2"),
        _ => Answer::status(204),
    });
    let mut asked = request("POST", &service.url("/json?a=b%20c"));
    asked.headers = [("X-Mine", "ü"), ("Content-Type", "application/json"), ("Content-Length", "7"), ("Connection", "close")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    asked.body = Some(Body::Json(json!({ "title": "ü" })));
    let answer = send(asked).await.unwrap();
    assert_eq!((answer.status, answer.body), (200, br#"{"a":1}"#.to_vec()));
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "x-two").count(), 2);
    let received = service.request();
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/json?a=b%20c"));
    assert_eq!(received.json(), json!({ "title": "ü" }));
    assert_eq!(received.header("content-length"), Some("14"));
    assert_eq!(received.header("x-mine"), Some("ü"));
    assert_eq!(received.header("host"), Some(service.address.to_string().as_str()));
    assert_eq!(received.header("connection"), None);
}

#[tokio::test]
async fn bodies_of_every_kind_have_their_length() {
    let service = Service::always(Answer::status(200));
    let part = Part { name: "f".to_owned(), filename: Some("f.bin".to_owned()), content_type: None, content: vec![0, 0xff] };
    let bodies = [
        None,
        Some(Body::Text("tëxt".to_owned())),
        Some(Body::Bytes(vec![0xff])),
        Some(Body::Form(vec![("a b".to_owned(), "&".to_owned())])),
        Some(Body::Multipart(vec![part])),
    ];
    for body in bodies {
        send(Request { body, ..request("PUT", &service.url("/")) }).await.unwrap();
    }
    let seen = service.requests();
    let lengths: Vec<_> = seen.iter().map(|request| request.header("content-length").unwrap().parse::<usize>().unwrap()).collect();
    assert_eq!(lengths, seen.iter().map(|request| request.body.len()).collect::<Vec<_>>());
    assert_eq!(lengths[..4], [0, 5, 1, 7]);
    assert_eq!(seen[3].form(), [("a b".to_owned(), "&".to_owned())]);
    let kind = seen[4].header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(seen[4].body.starts_with(format!("--{boundary}\r\n").as_bytes()));
}

#[tokio::test]
async fn connections_are_used_again_and_redirections_are_answers() {
    let service = Service::start(|_| Answer::status(302).header("location", "/elsewhere"));
    let transport = transport(anywhere());
    for _ in 0..3 {
        let answer = transport.exchange(request("GET", &service.url("/"))).await.unwrap();
        assert_eq!((answer.status, answer.header("Location")), (302, Some("/elsewhere")));
    }
    let seen: Vec<_> = service.requests().iter().map(|request| (request.path().to_owned(), request.connection)).collect();
    assert_eq!(seen, vec![("/".to_owned(), 1); 3]);
}

#[tokio::test]
async fn addresses_are_checked_after_names_are_looked_up() {
    let service = Service::always(Answer::status(200));
    let url = format!("http://api.example.com:{}/secret?token=t0ps3cret", service.address.port());
    for (found, kind) in [(&["127.0.0.1"][..], "loopback"), (&["10.0.0.1", "::1"], "loopback"), (&["169.254.169.254"], "link-local")] {
        let network = Network::new(Arc::new(Everywhere(found)), Authorities::default());
        let transport = NetworkTransport::new(network.clone(), Policy::default(), ExchangeLimits::default());
        let refused = transport.exchange(request("GET", &url)).await.unwrap_err();
        assert_eq!(refused.kind, UnansweredKind::Configuration);
        assert!(refused.reason.contains("`api.example.com` is at") && refused.reason.contains(kind), "{refused}");
        assert!(!refused.reason.contains("t0ps3cret"), "{refused}");
    }
    let network = Network::new(Arc::new(Everywhere(&["127.0.0.1"])), Authorities::default());
    let open = NetworkTransport::new(network.clone(), anywhere(), ExchangeLimits::default());
    open.exchange(request("GET", &url)).await.unwrap();
    assert_eq!(service.request().header("host"), Some(&*format!("api.example.com:{}", service.address.port())));
    // The connection that is open now is none for a run that may not have opened it.
    let closed = NetworkTransport::new(network, Policy::default(), ExchangeLimits::default());
    assert!(closed.exchange(request("GET", &url)).await.is_err());
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn hosts_that_are_not_allowed_are_not_asked() {
    let service = Service::always(Answer::status(200));
    let policy = Policy { hosts: Some(vec!["api.example.com".to_owned()]), ..anywhere() };
    let refused = transport(policy.clone()).exchange(request("GET", &service.url("/"))).await.unwrap_err();
    assert!(refused.reason.contains("does not allow the host `127.0.0.1`"), "{refused}");
    let refused =
        send(Request { headers: vec![("Host".to_owned(), "intern.example.com".to_owned())], ..request("GET", &service.url("/")) }).await;
    assert!(refused.unwrap_err().reason.contains("the header `host`"));
    assert_eq!(service.requests().len(), 0);

    let mapping = HostMapping::parse(&format!("api.example.com={}", service.url("/stub"))).unwrap();
    let policy = Policy { addresses: Addresses::Public, mappings: vec![mapping], ..policy };
    transport(policy).exchange(request("GET", "https://api.example.com/a?b=c")).await.unwrap();
    let received = service.request();
    assert_eq!(received.target, "/stub/a?b=c");
    assert_eq!(received.header("host"), Some(service.address.to_string().as_str()));
}

#[tokio::test]
async fn a_response_is_not_read_beyond_its_limit() {
    let service = Service::start(|request| match request.path() {
        "/endless" => Answer::endless(vec![b'x'; 1000]),
        "/long" => Answer::status(200).bytes(vec![b'x'; 5001]),
        _ => Answer::status(200).bytes(vec![b'x'; 5000]),
    });
    let limits = ExchangeLimits { response: 5000, ..ExchangeLimits::default() };
    let transport = NetworkTransport::new(Network::default(), anywhere(), limits);
    for path in ["/endless", "/long"] {
        let refused = transport.exchange(request("GET", &service.url(path))).await.unwrap_err();
        assert_eq!(refused, Unanswered::communication("the response of `127.0.0.1` is bigger than 5000 bytes"));
    }
    assert_eq!(transport.exchange(request("GET", &service.url("/"))).await.unwrap().body.len(), 5000);
}

#[tokio::test]
async fn what_does_not_answer_is_told_without_secrets() {
    let service = Service::start(|request| if request.path() == "/never" { Answer::never() } else { Answer::closed() });
    let limits = ExchangeLimits { time: Duration::from_millis(300), ..ExchangeLimits::default() };
    let transport = NetworkTransport::new(Network::default(), anywhere(), limits);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, kind) in [
        (service.url("/never?t0ps3cret"), UnansweredKind::Timeout),
        (service.url("/closed?t0ps3cret"), UnansweredKind::Communication),
        (format!("http://{free}/?t0ps3cret"), UnansweredKind::Communication),
    ] {
        let told = transport.exchange(request("GET", &url)).await.unwrap_err();
        assert_eq!(told.kind, kind, "{told}");
        assert!(told.reason.contains("`127.0.0.1`") && !told.reason.contains("t0ps3cret"), "{told}");
    }
}

#[tokio::test]
async fn credentials_in_an_address_become_a_header() {
    let service = Service::always(Answer::status(200));
    send(request("GET", &service.url("/").replace("http://", "http://al%40ice:s%C3%BC@"))).await.unwrap();
    assert_eq!(service.request().header("authorization"), Some("Basic YWxAaWNlOnPDvA=="));
    let refused = send(request("CONNECT", &service.url("/"))).await.unwrap_err();
    assert_eq!(refused.kind, UnansweredKind::Configuration);
}
