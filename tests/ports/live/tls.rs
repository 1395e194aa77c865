//! Requests over TLS: which authorities are trusted, for which names, and in which version of HTTP.

use std::sync::Arc;

use switchboard::flow::{Response, Transport as _, Unanswered, UnansweredKind};
use switchboard::harness::live::{Authorities, ExchangeLimits, Network, NetworkTransport};

use super::requests::{Everywhere, anywhere, request};
use crate::support::tls::{Authority, Seen};

const NAME: &str = "api.example.com";

async fn send(authorities: Authorities, url: &str) -> Result<Response, Unanswered> {
    let network = Network::new(Arc::new(Everywhere(&["127.0.0.1"])), authorities);
    NetworkTransport::new(network, anywhere(), ExchangeLimits::default()).exchange(request("GET", url)).await
}

#[tokio::test]
async fn a_service_of_a_private_authority_answers_where_that_is_trusted() {
    let authority = Authority::named("ours");
    let service = authority.service(NAME, &["http/1.1"], "hello");
    let refused = send(Authorities::default(), &service.url(NAME, "/a?t0ps3cret")).await.unwrap_err();
    assert_eq!(refused.kind, UnansweredKind::Communication);
    let expected = "the certificate of `api.example.com` is of no authority that is trusted here: where it is an authority of your own, \
                    give its certificate with --ca-file or SWITCHBOARD_CA_FILE";
    assert_eq!(refused.reason, expected);
    let other = Authorities::read(Authority::named("theirs").pem().as_bytes()).unwrap();
    assert_eq!(send(other, &service.url(NAME, "/b")).await.unwrap_err().reason, expected);
    assert_eq!(service.seen(), []);

    // It need not be the first of them.
    let both = format!("{}\n# ours\n{}", Authority::named("theirs").pem(), authority.pem());
    let response = send(Authorities::read(both.as_bytes()).unwrap(), &service.url(NAME, "/c")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, &b"hello"[..]));
    assert_eq!(service.seen(), [Seen { protocol: "http/1.1", path: "/c".to_owned() }]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::named("ours");
    let service = authority.service("other.example.com", &["h2"], "hello");
    let trusted = Authorities::read(authority.pem().as_bytes()).unwrap();
    let refused = send(trusted.clone(), &service.url(NAME, "/")).await.unwrap_err();
    assert!(refused.reason.starts_with("the certificate of `api.example.com` is for another name"), "{refused}");
    assert_eq!(service.seen(), []);
    send(trusted, &service.url("other.example.com", "/")).await.unwrap();
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    let authority = Authority::named("ours");
    let trusted = || Authorities::read(authority.pem().as_bytes()).unwrap();
    for (offered, spoken) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1"), (&[], "http/1.1")] {
        let service = authority.service(NAME, offered, "hello");
        assert_eq!(send(trusted(), &service.url(NAME, "/x")).await.unwrap().body, b"hello");
        assert_eq!(service.seen(), [Seen { protocol: spoken, path: "/x".to_owned() }]);
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    for (pem, why) in [
        ("", "it holds no certificate in PEM"),
        ("nothing of the kind", "it holds no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "its certificate 1 cannot be used: "),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "it is not PEM: "),
    ] {
        let told = Authorities::read(pem.as_bytes()).unwrap_err();
        assert!(told.starts_with(why), "{pem:?}: {told}");
    }
}
