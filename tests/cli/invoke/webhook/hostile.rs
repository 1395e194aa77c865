//! What strangers send: nothing of it stops others from being answered, and nothing that was taken gets lost.

use std::io::{Read as _, Write as _};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use super::super::bell;
use super::{Hook, signature};
use crate::support::client::Reply;
use crate::support::command::Team;
use crate::support::http::{Answer, Service};

const MEBIBYTE: usize = 1 << 20;

/// A webhook, and what it stands on.
fn hook(more: &[&str]) -> (Hook, (Team, Service)) {
    let (team, service) = (bell::team(), Service::always(Answer::status(500)));
    (Hook::start(&team, &service, "rung", more), (team, service))
}

#[test]
fn what_is_too_big_is_refused_before_it_is_read() {
    let (mut hook, _ground) = hook(&[]);
    let mut stream = hook.client.connect();
    stream.write_all(b"POST /rings HTTP/1.1\r\nhost: h\r\ncontent-length: 900000000000\r\n\r\n").unwrap();
    assert_eq!(Reply::read(stream).status, 413);

    let mut stream = hook.client.connect();
    stream.write_all(b"POST /rings HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    let chunk = [format!("{MEBIBYTE:x}\r\n").as_bytes(), &vec![b'x'; MEBIBYTE], b"\r\n"].concat();
    let sent = (0..64).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 64, "it is not read to its end");

    let mut stream = hook.client.connect();
    let head = format!("POST /rings HTTP/1.1\r\nhost: h\r\nx-long: {}\r\n\r\n", "x".repeat(MEBIBYTE));
    let _ = stream.write_all(head.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));

    for nonsense in [&b"\x16\x03\x01\x02\x00\x01"[..], b"POST /rings HTTP/9.9\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let mut stream = hook.client.connect();
        stream.write_all(nonsense).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(hook.ring(&json!({ "id": "one", "padding": "x".repeat(7 * MEBIBYTE) })).status, 200);
    assert_eq!(hook.data(), json!({ "id": "one" }));
    assert!(hook.end().is_empty());
}

#[test]
fn connections_that_say_nothing_keep_nobody_out() {
    let (mut hook, _ground) = hook(&[]);
    let silent: Vec<_> = (0..200)
        .map(|index| {
            let mut stream = hook.client.connect();
            let beginnings = ["", "POST /rings", "POST /rings HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n{"];
            stream.write_all(beginnings[index % beginnings.len()].as_bytes()).unwrap();
            stream
        })
        .collect();
    for id in ["one", "two", "three"] {
        assert_eq!(hook.ring(&json!({ "id": id })).status, 200);
        assert_eq!(hook.data(), json!({ "id": id }));
    }
    drop(silent);
    assert!(hook.end().is_empty());
}

#[test]
fn many_requests_at_once_are_each_answered_once() {
    let (mut hook, _ground) = hook(&[]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ring = |index: usize| {
            let hook = &hook;
            scope.spawn(move || match index % 3 {
                0 => hook.client.send("POST /rings", &[], "{}").status,
                _ => hook.ring(&json!({ "id": format!("ring-{}", index / 3) })).status,
            })
        };
        let rings: Vec<_> = (0..60).map(ring).collect();
        rings.into_iter().map(|ring| ring.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 20);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 40, "{statuses:?}");
    let mut told: Vec<String> = (0..20).map(|_| hook.data()["id"].as_str().unwrap().to_owned()).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 20, "each ring was sent twice, and told of once");
    assert!(hook.end().is_empty());
}

#[test]
fn a_flow_that_never_ends_stops_no_other() {
    let (mut hook, _ground) = hook(&["--evaluation-time", "2s"]);
    let body = json!({ "id": "endless", "spin": true }).to_string();
    let endless = hook.client.begin("POST /rings", &[("x-signature", &signature(bell::SECRET, &body))], &body);
    for id in ["one", "two"] {
        assert_eq!(hook.ring(&json!({ "id": id })).status, 200);
        assert_eq!(hook.data(), json!({ "id": id }));
    }
    assert_eq!(Reply::read(endless).status, 500);
    let fault: Value = serde_json::from_str(&hook.daemon.note_with("evaluated for longer")).unwrap();
    assert_eq!(fault["status"], 408);
    assert!(hook.end().is_empty());
}

#[test]
fn what_was_taken_is_dealt_with_though_its_client_went_away_and_the_end_was_asked_for() {
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let service = Service::start(move |_| {
        let _ = released.lock().unwrap().recv();
        Answer::json(json!({}))
    });
    let team = bell::team();
    let mut hook = Hook::start(&team, &service, "rung", &[]);
    let begin = |hook: &Hook, id: &str| {
        let body = json!({ "id": id, "ask": true }).to_string();
        hook.client.begin("POST /rings", &[("x-signature", &signature(bell::SECRET, &body))], &body)
    };
    drop(begin(&hook, "gone"));
    service.wait_for(1);
    release.send(()).unwrap();
    assert_eq!(hook.data(), json!({ "id": "gone" }));

    let waiting = begin(&hook, "late");
    service.wait_for(2);
    hook.daemon.signal("TERM");
    // Once it has begun to end it takes no more requests.
    while std::net::TcpStream::connect(waiting.peer_addr().unwrap()).is_ok() {
        std::thread::yield_now();
    }
    release.send(()).unwrap();
    assert_eq!(Reply::read(waiting).status, 200);
    assert_eq!(hook.data(), json!({ "id": "late" }));
    assert!(hook.daemon.wait().success());
}
