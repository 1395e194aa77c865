//! `invoke --trigger` with triggers that poll: the cursor, the events that were seen, failures, and one process at a time.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use jiff::SignedDuration;
use serde_json::{Value, json};
use switchboard::model::{Clock as _, SystemClock};
use switchboard::store::{Leased, TriggerStates as _};

use super::bell;
use crate::support::command::{Ran, Team};
use crate::support::daemon::Daemon;
use crate::support::http::{Answer, Received, Service};

const TOKEN: &str = "glpat-s3cret";

/// A team that has an example of the gallery.
fn with_example(connector: &str, values: &str) -> Team {
    let team = Team::new();
    let folder = format!("{}/examples/gallery/connectors/{connector}", env!("CARGO_MANIFEST_DIR"));
    for file in ["connector.yaml", "icon.svg"] {
        team.write(&format!("connectors/{connector}/{file}"), std::fs::read(format!("{folder}/{file}")).unwrap());
    }
    team.write(&format!("connections/test/{connector}.yaml"), values);
    team
}

fn gitlab() -> Team {
    with_example("gitlab-projects", "token: { env: CONNECTION_GITLAB__PROJECTS_TOKEN }\n")
}

fn poll(team: &Team, service: &Service, more: &[&str]) -> Ran {
    let mapping = format!("gitlab.com={}", service.url(""));
    let project = r#"{"project":"diaspora/client"}"#;
    let arguments = ["invoke", "gitlab-projects", "--trigger", "issue-updated", "--input", project, "--map-host", &mapping];
    team.run_with(&team.root(), &[&arguments[..], more].concat(), &[("CONNECTION_GITLAB__PROJECTS_TOKEN", TOKEN)])
}

fn issue(id: u32, updated_at: &str) -> Value {
    json!({ "id": id, "project_id": 7, "iid": id, "title": format!("Issue {id}"), "state": "opened", "labels": [],
            "web_url": "https://gitlab.com/i", "author": { "username": "ann" }, "created_at": "2026-01-01T00:00:00Z", "updated_at": updated_at })
}

fn page(issues: &[Value]) -> Answer {
    Answer::json(issues).header("x-next-page", "")
}

/// The issues of the events that were printed, a line each.
fn told(ran: &Ran) -> Vec<u64> {
    let event = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let events = ran.out.lines().map(event).inspect(|event| {
        assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("issue.updated")), "{event}");
        assert!(event["source"].as_str().unwrap().starts_with("/gitlab-projects/") && event["id"].is_string(), "{event}");
    });
    events.map(|event| event["data"]["id"].as_u64().unwrap()).collect()
}

fn since(request: &Received) -> String {
    request.parameter("updated_after").unwrap()
}

#[test]
fn a_poll_goes_on_from_the_cursor_of_the_last_and_tells_nothing_twice() {
    let (first, second) = ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z");
    let service = Service::scripted([
        page(&[issue(2, first), issue(1, first)]),
        page(&[issue(3, second), issue(2, first)]),
        Answer::status(404).with_json(json!({ "message": "no such project" })),
        page(&[issue(3, second)]),
        page(&[issue(3, second), issue(2, first)]),
        page(&[issue(3, second)]),
    ]);
    let team = gitlab();
    let test = ["--environment", "test"];
    let ran = poll(&team, &service, &test).done();
    assert_eq!((told(&ran), ran.err.as_str()), (vec![1, 2], ""));
    assert_eq!(told(&poll(&team, &service, &test).done()), [3], "2 has not changed since");

    let failed = poll(&team, &service, &test).failed();
    let fault: Value = serde_json::from_str(failed.err.trim()).unwrap();
    assert_eq!((&fault["type"], &fault["status"], failed.out.as_str()), (&json!("#/errors/not-found"), &json!(404), ""));
    assert_eq!(told(&poll(&team, &service, &test).done()), Vec::<u64>::new());

    assert_eq!(told(&poll(&team, &service, &["--environment", "test", "--reset"]).done()), [2, 3]);
    team.write("mine.yaml", "token: { env: CONNECTION_GITLAB__PROJECTS_TOKEN }\n");
    assert_eq!(told(&poll(&team, &service, &["--connection", "mine.yaml"]).done()), [3], "another connection knows of nothing");

    let since: Vec<String> = service.requests().iter().map(since).collect();
    assert_eq!(since[1..4], [first, second, second], "a poll that failed moves no cursor");
    assert!([&since[0], &since[4], &since[5]].iter().all(|moment| moment.as_str() > second), "those begin from now: {since:?}");
    let database = std::fs::read(team.path(".switchboard/switchboard.db")).unwrap();
    assert!(!String::from_utf8_lossy(&database).contains(TOKEN));
}

#[test]
fn what_cannot_be_run_is_refused_with_what_to_do_instead() {
    let (team, service) = (bell::team(), Service::always(Answer::json(json!({}))));
    let run = |trigger: &str, more: &[&str]| {
        let arguments = bell::arguments(&service, trigger, more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        team.run_with(&team.root(), &arguments, &[("CONNECTION_BELL_SECRET", bell::SECRET)])
    };
    for (ran, said) in [
        (run("pold", &[]).two(), "bell has no trigger `pold`"),
        (run("rung", &[]).two(), "Serve it with --listen ADDRESS"),
        (run("rung", &["--listen"]).two(), "--listen has no address"),
        (run("polled", &["--listen", "127.0.0.1:0"]).two(), "a schedule, which has no address"),
        (run("asked", &["--listen", "127.0.0.1:0"]).two(), "with --public-url URL"),
        (run("rung", &["--listen", "127.0.0.1:0", "--public-url", "https://u:p@example.com"]).two(), "expected an address such as"),
        (run("rung", &["--listen", "nowhere"]).failed(), "cannot listen at nowhere"),
        (run("polled", &["--test-connection"]).two(), "cannot be used with"),
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    let ran = team.run(&["invoke", "bell", "--reset"]).two();
    assert!(ran.err.contains("--trigger"), "{}", ran.err);
    team.replace("connectors/bell/connector.yaml", "triggers:\n", "triggers:\n  later: { on: { schedule: { every: PT1H } } }\n");
    let ran = run("later", &[]).failed();
    assert!(ran.err.contains("the trigger has no flow yet"), "{}", ran.err);
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn parameters_that_do_not_fit_are_told_and_nothing_is_sent() {
    let service = Service::always(Answer::json(json!([])));
    let team = gitlab();
    let mapping = format!("gitlab.com={}", service.url(""));
    let arguments = ["invoke", "gitlab-projects", "--trigger", "issue-updated", "--environment", "test", "--map-host", &mapping];
    let ran = team.run_with(&team.root(), &arguments, &[("CONNECTION_GITLAB__PROJECTS_TOKEN", TOKEN)]).failed();
    assert!(ran.err.contains("the input does not fit its schema: \\\"project\\\" is a required property"), "{}", ran.err);
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn a_trace_shows_the_poll_without_its_secrets() {
    let service = Service::scripted([page(&[issue(1, "2026-03-01T10:00:00Z")])]);
    let ran = poll(&gitlab(), &service, &["--environment", "test", "--trace"]).done();
    assert_eq!(told(&ran), [1]);
    assert!(ran.err.contains("gitlab-projects triggers/issue-updated") && ran.err.contains("✓ read"), "{}", ran.err);
    assert!(ran.err.contains("PRIVATE-TOKEN: [redacted]") && !ran.err.contains(TOKEN), "{}", ran.err);
}

/// The ids of the next events that a trigger prints.
fn next(daemon: &mut Daemon, count: usize) -> Vec<Value> {
    let events = (0..count).map(|_| serde_json::from_str::<Value>(&daemon.line()).unwrap());
    events.map(|event| event["data"]["id"].clone()).collect()
}

#[test]
fn it_goes_on_by_the_schedule_over_failures_until_it_is_told_to_stop() {
    let service = Service::start(|request| match request.number {
        1 => Answer::json(json!({ "rings": [{ "id": "a" }], "next": "1" })),
        2 => Answer::status(500),
        _ => Answer::json(json!({ "rings": [{ "id": "a" }, { "id": request.parameter("after") }], "next": "2" })),
    });
    let team = bell::team();
    let mut daemon = bell::start(&team, &service, "polled", &["--listen"]);
    assert_eq!(next(&mut daemon, 3), [json!("a"), json!("1"), json!("2")]);
    daemon.note_with(r#""status":500"#);

    let arguments = bell::arguments(&service, "polled", &[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let again = || team.run_with(&team.root(), &arguments, &[("CONNECTION_BELL_SECRET", bell::SECRET)]);
    let refused = again().failed();
    assert!(refused.err.contains("another switchboard (process ") && refused.err.contains("Stop that one first."), "{}", refused.err);
    assert!(daemon.end_with("TERM").success());
    assert_eq!(daemon.note_with("Stopped."), "Stopped.");
    assert_eq!(again().done().out, "", "the lease was given back, and what was seen is known");
}

#[test]
fn a_poll_that_takes_long_is_not_overtaken_by_the_next() {
    let (release, released) = channel::<()>();
    let (arrive, arrived) = channel::<()>();
    let released = Mutex::new(released);
    let service = Service::start(move |request| {
        if request.number == 1 {
            let _ = arrive.send(());
            let _ = released.lock().unwrap().recv();
        }
        Answer::json(json!({ "rings": [{ "id": request.number }], "next": request.number }))
    });
    let team = bell::team();
    let mut daemon = bell::start(&team, &service, "polled", &["--listen"]);
    daemon.note_with("Left out the poll of ");
    // A machine that is busy may be told of the next poll before the first has sent anything.
    arrived.recv().unwrap();
    assert_eq!(service.requests().len(), 1);
    release.send(()).unwrap();
    assert_eq!(next(&mut daemon, 2), [json!(1), json!(2)]);
    assert_eq!(service.requests()[1].parameter("after").as_deref(), Some("1"));
    assert!(daemon.end_with("INT").success());
}

#[test]
fn polls_may_overlap_where_the_trigger_says_so() {
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let service = Service::start(move |request| {
        if request.number == 1 {
            let _ = released.lock().unwrap().recv();
        }
        Answer::json(json!({ "rings": [{ "id": request.number }, { "id": "same" }] }))
    });
    let team = bell::team();
    team.replace("connectors/bell/connector.yaml", "every: PT1S", "every: PT1S, overlap: allow");
    team.replace("connectors/bell/connector.yaml", "    cursor: .next\n", "");
    let mut daemon = bell::start(&team, &service, "polled", &["--listen"]);
    assert_eq!(next(&mut daemon, 2), [json!(2), json!("same")], "the first waits still");
    release.send(()).unwrap();
    let mut rest = next(&mut daemon, 1);
    while !rest.contains(&json!(1)) {
        rest.extend(next(&mut daemon, 1));
    }
    assert!(!rest.contains(&json!("same")), "{rest:?}");
    assert!(daemon.end_with("TERM").success());
}

#[tokio::test]
async fn a_clock_that_was_wrong_keeps_nothing_from_going_on() {
    let service = Service::start(|request| Answer::json(json!({ "rings": [{ "id": request.number }] })));
    let team = bell::team();
    let poll = bell::arguments(&service, "polled", &[]);
    let poll: Vec<&str> = poll.iter().map(String::as_str).collect();
    team.run_with(&team.root(), &poll, &[("CONNECTION_BELL_SECRET", bell::SECRET)]).done();
    let (store, key) = (bell::store(&team).await, bell::key("polled"));
    let ahead = SystemClock.now().checked_add(SignedDuration::from_hours(3)).unwrap();
    let Leased::Mine(lease) = store.lease_trigger(&key, "me", ahead, ahead).await.unwrap() else { panic!("somebody else has it") };
    store.put_trigger_state(&key, &lease, &json!({ "lastScheduled": ahead }).to_string()).await.unwrap();
    store.return_trigger_lease(&key, &lease).await.unwrap();
    let mut daemon = bell::start(&team, &service, "polled", &["--listen"]);
    assert_eq!(next(&mut daemon, 2).len(), 2);
    assert!(daemon.end_with("TERM").success());
}

#[tokio::test]
async fn a_process_whose_lease_was_taken_over_ends() {
    let service = Service::start(|request| Answer::json(json!({ "rings": [{ "id": request.number }], "next": request.number })));
    let team = bell::team();
    let mut daemon = bell::start(&team, &service, "polled", &["--listen"]);
    next(&mut daemon, 1);
    let (store, key) = (bell::store(&team).await, bell::key("polled"));
    let later = SystemClock.now().checked_add(SignedDuration::from_hours(1)).unwrap();
    let Leased::Mine(lease) = store.lease_trigger(&key, "me", later, later).await.unwrap() else { panic!("it was over by then") };
    let note = daemon.note_with("error:");
    assert_eq!(note, "error: another process has taken over the trigger polled of bell in test");
    assert_eq!(daemon.wait().code(), Some(1));
    store.put_trigger_state(&key, &lease, "{ no state").await.unwrap();
    store.return_trigger_lease(&key, &lease).await.unwrap();

    let arguments = bell::arguments(&service, "polled", &[]);
    let run = |more: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        team.run_with(&team.root(), &arguments, &[("CONNECTION_BELL_SECRET", bell::SECRET)])
    };
    let ran = run(&[]).failed();
    assert!(ran.err.contains("the trigger's state cannot be read") && ran.err.contains("Begin anew with --reset."), "{}", ran.err);
    assert!(run(&["--reset"]).done().out.contains("bell.rung"));
}

#[test]
fn a_reader_that_goes_away_loses_no_event() {
    let service = Service::start(|request| Answer::json(json!({ "rings": [{ "id": request.number }], "next": request.number })));
    let team = bell::team();
    let mut daemon = bell::start(&team, &service, "polled", &["--listen"]);
    assert_eq!(next(&mut daemon, 1), [json!(1)]);
    daemon.close_output();
    let note = daemon.note_with("cannot write to the standard output");
    assert!(note.starts_with("error: "), "{note}");
    assert_eq!(daemon.wait().code(), Some(1));
    let lost = service.requests().len();
    let arguments = bell::arguments(&service, "polled", &[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    team.run_with(&team.root(), &arguments, &[("CONNECTION_BELL_SECRET", bell::SECRET)]).done();
    let requests = service.requests();
    assert_eq!(requests[lost].parameter("after"), requests[lost - 1].parameter("after"), "it is polled for again");
}
