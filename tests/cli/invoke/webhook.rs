//! `invoke --trigger --listen ADDRESS`: requests over real HTTP, verified, answered, and told of as events.

mod hostile;
mod subscription;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::bell;
use crate::support::client::{Client, Reply};
use crate::support::command::Team;
use crate::support::daemon::Daemon;
use crate::support::http::{Answer, Service};

pub const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// The HMAC of a body, as the bell signs it.
pub fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A running webhook, and who sends requests to it.
pub struct Hook {
    pub daemon: Daemon,
    pub client: Client,
}

impl Hook {
    pub fn start(team: &Team, service: &Service, trigger: &str, more: &[&str]) -> Self {
        Self::of(bell::start(team, service, trigger, &[&LISTEN[..], more].concat()))
    }

    pub fn of(daemon: Daemon) -> Self {
        let client = Client::of(&daemon.ready);
        Self { daemon, client }
    }

    /// Rings the bell, signed.
    pub fn ring(&self, body: &Value) -> Reply {
        let body = body.to_string();
        self.client.send("POST /rings", &[("x-signature", &signature(bell::SECRET, &body))], &body)
    }

    /// The data of the next event.
    pub fn data(&mut self) -> Value {
        let event: Value = serde_json::from_str(&self.daemon.line()).unwrap();
        assert_eq!(event["specversion"], "1.0", "{event}");
        event["data"].clone()
    }

    /// Ends it well, and tells what it had printed beyond what was read.
    pub fn end(mut self) -> Vec<String> {
        let status = self.daemon.end_with("TERM");
        let notes: Vec<String> = self.daemon.notes.by_ref().map(Result::unwrap).collect();
        assert!(status.success() && notes.last().is_some_and(|note| note == "Stopped."), "{status}: {notes:#?}");
        self.daemon.lines.by_ref().map(Result::unwrap).collect()
    }
}

#[test]
fn a_signed_request_becomes_an_event_and_others_become_nothing() {
    let (team, service) = (bell::team(), Service::always(Answer::status(500)));
    let mut hook = Hook::start(&team, &service, "rung", &[]);
    let reply = hook.ring(&json!({ "id": "one" }));
    assert_eq!((reply.status, reply.body.as_str(), reply.header("x-ring")), (200, r#"{"taken":"one"}"#, Some("one")));
    assert_eq!(hook.data(), json!({ "id": "one" }));

    assert_eq!(hook.client.send("POST /rings", &[("x-signature", &signature("guess", "{}"))], "{}").status, 401);
    hook.daemon.note_with("Refused a request: the signature of the request is not right.");
    let unsigned = hook.client.send("POST /rings", &[], r#"{"id":"two"}"#);
    assert_eq!((unsigned.status, unsigned.body.as_str()), (401, ""));
    assert_eq!(hook.client.send("DELETE /rings", &[], "").header("allow"), Some("POST, PUT"));
    for path in ["/", "/rings/", "/rings/../rings", "/RINGS", "/asked"] {
        assert_eq!(hook.client.send(&format!("POST {path}"), &[], "{}").status, 404, "{path}");
    }

    let again = hook.ring(&json!({ "id": "one" }));
    assert_eq!(again.status, 200, "the service need not know that it was known");
    let bad = hook.ring(&json!({ "id": 7 }));
    assert_eq!(bad.status, 500);
    let told = hook.daemon.note_with("does not fit its schema");
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["status"], 400);
    assert_eq!(hook.end(), Vec::<String>::new());

    let mut hook = Hook::start(&team, &service, "rung", &["--input", r#"{"only":"three"}"#]);
    for id in ["one", "two", "three"] {
        assert_eq!(hook.ring(&json!({ "id": id })).status, 200);
    }
    assert_eq!(hook.data(), json!({ "id": "three" }), "what was seen before is known still");
    assert_eq!(hook.end(), Vec::<String>::new());
}

#[test]
fn the_examples_take_what_their_services_send() {
    let (team, service) = (Team::new(), Service::always(Answer::status(500)));
    let copy = |from: &str, connector: &str, values: &str| {
        let manifest = format!("{}/examples/{from}/connectors/{connector}/connector.yaml", env!("CARGO_MANIFEST_DIR"));
        team.write(&format!("connectors/{connector}/connector.yaml"), std::fs::read(manifest).unwrap());
        team.write(&format!("connections/test/{connector}.yaml"), values);
    };
    copy(
        "gallery",
        "slack-messages",
        "token: { env: CONNECTION_SLACK__MESSAGES_SECRET }\nsigningSecret: { env: CONNECTION_SLACK__MESSAGES_SECRET }\n",
    );
    let start = |connector: &str, trigger: &str| {
        let mapping = format!("slack.com={}", service.url(""));
        let arguments = ["invoke", connector, "--trigger", trigger, "--environment", "test", "--map-host", &mapping];
        Hook::of(Daemon::start_with(
            &team,
            &[&arguments[..], &LISTEN].concat(),
            &[("CONNECTION_SLACK__MESSAGES_SECRET", bell::SECRET)],
            "Listening at ",
        ))
    };
    let mut slack = start("slack-messages", "message-posted");
    let send = |slack: &Hook, body: &Value, stamp: i64| {
        let (body, stamp) = (body.to_string(), stamp.to_string());
        let signed = format!("v0={}", signature(bell::SECRET, &format!("v0:{stamp}:{body}")));
        let headers = [("x-slack-signature", signed.as_str()), ("x-slack-request-timestamp", &stamp), ("content-type", "application/json")];
        slack.client.send("POST /events", &headers, &body)
    };
    let now = now();
    let question = json!({ "type": "url_verification", "challenge": "3eZbrw1aB" });
    let reply = send(&slack, &question, now);
    assert_eq!((reply.status, reply.body.as_str(), reply.header("content-type")), (200, "3eZbrw1aB", Some("text/plain; charset=utf-8")));
    assert_eq!(send(&slack, &question, now - 3600).status, 401, "an old one is none, however well it is signed");
    let message = json!({ "type": "event_callback", "event_id": "Ev1",
        "event": { "type": "message", "user": "U1", "channel": "C1", "text": "hello\u{1b}[2J", "ts": "1735689600.000100" } });
    assert_eq!((send(&slack, &message, now).status, send(&slack, &message, now).status), (200, 200));
    let line = slack.daemon.line();
    assert!(!line.contains('\u{1b}'), "{line:?}");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["data"]["text"], "hello\u{1b}[2J");
    assert_eq!(slack.end(), Vec::<String>::new(), "it was sent twice, and is told of once");
}

/// The present moment, in seconds, as the kernel has it.
fn now() -> i64 {
    use switchboard::model::{Clock as _, SystemClock};
    SystemClock.now().as_second()
}

#[test]
fn programs_read_everything_as_json() {
    let (team, service) = (bell::team(), Service::always(Answer::status(500)));
    let arguments = bell::arguments(&service, "rung", &[&LISTEN[..], &["--output", "json", "--trace"]].concat());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut hook =
        Hook::of(Daemon::start_with(&team, &arguments, &[("CONNECTION_BELL_SECRET", bell::SECRET)], r#"{"note":"Listening at "#));
    assert_eq!(hook.ring(&json!({ "id": "one" })).status, 200);
    assert_eq!(hook.client.send("POST /rings", &[], "{}").status, 401);
    assert_eq!(hook.data()["id"], "one");
    assert!(hook.daemon.end_with("TERM").success());
    let notes: Vec<Value> = hook.daemon.notes.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert!(notes.iter().any(|note| note["name"] == "ring" && note["event"] == "completed"), "{notes:?}");
    assert!(notes.contains(&json!({ "note": "Refused a request: the request has no header x-signature." })), "{notes:?}");
    assert_eq!(notes.last(), Some(&json!({ "note": "Stopped." })));
}
