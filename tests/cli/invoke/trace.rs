//! `--trace` shows what happened, as a tree for people and as lines of JSON for programs.

use serde_json::{Value, json};

use super::{GET, MANIFEST, invoke, team};
use crate::support::command::Team;
use crate::support::http::{Answer, Service};

/// Times differ from run to run, and with them the blanks before them.
fn timeless(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let is_unit = |word: &str| ["µs", "ms", "s"].contains(&word.trim_end_matches(')'));
        let is_number = |word: &str| word.trim_start_matches('(').parse::<f64>().is_ok();
        let unit = words.windows(2).position(|pair| is_number(pair[0]) && is_unit(pair[1]));
        lines.push(match unit {
            Some(at) => format!("{} [time] {}", words[..at].join(" ").trim_end(), words[at + 2..].join(" ").trim()).trim_end().to_owned(),
            None => line.to_owned(),
        });
    }
    lines.join("\n")
}

#[test]
fn a_tree_shows_tasks_with_their_requests_and_answers() {
    let service = Service::scripted([
        Answer::json(json!({ "id": "item-1", "name": "First" })),
        Answer::status(404).header("x-request-id", "r1").with_json(json!({ "message": "no such item" })),
    ]);
    let team = team();
    team.replace(
        MANIFEST,
        "actions:\n",
        "actions:\n  both:\n    do:\n      - first: { call: get-item, with: { id: item-1 } }\n      - rest: { do: [ { note: { set: { done: 1 } } }, { second: { call: get-item, with: { id: item-2 } } } ] }\n",
    );
    let ran = invoke(&team, &service, &["both", "--environment", "test", "--trace"]).failed();
    insta::assert_snapshot!(timeless(&ran.err), @r##"
    invoke crm both [time]
    ├─ ✓ first [time] /do/0/first
    │  └─ ✓ read [time] /do/0/read
    │     → GET https://api.example.com/items/item-1
    │       authorization: Bearer [redacted]
    │     ← 200 in [time]
    │       content-type: application/json
    │       {"id":"item-1","name":"First"}
    └─ ✗ rest [time] /do/1/rest
       ├─ ✓ note [time] /do/1/rest/do/0/note
       └─ ✗ second [time] /do/1/rest/do/1/second
          └─ ✗ read [time] /do/0/read
             → GET https://api.example.com/items/item-2
               authorization: Bearer [redacted]
             ← 404 in [time]
               x-request-id: r1
               content-type: application/json
               {"message":"no such item"}
             404 No such item: GET https://api.example.com/items/item-2 answered 404
    {"type":"#/errors/not-found","status":404,"title":"No such item","detail":"GET https://api.example.com/items/item-2 answered 404","instance":"/actions/get-item/do/0/read"}
    "##);
    assert_eq!(ran.out, "");
}

#[test]
fn programs_get_a_line_for_everything_as_it_happens() {
    let service = Service::always(Answer::json(json!({ "id": "item-1", "name": "First" })));
    let ran = invoke(&team(), &service, &[&GET[..], &["--trace", "--output", "json"]].concat()).done();
    let lines: Vec<Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["started", "sent", "answered", "completed"]);
    assert_eq!(lines[1]["url"], "https://api.example.com/items/item-1");
    assert_eq!(lines[1]["headers"], json!([["authorization", "Bearer [redacted]"]]));
    assert_eq!((&lines[2]["status"], &lines[2]["body"]), (&json!(200), &json!(r#"{"id":"item-1","name":"First"}"#)));
    assert_eq!((&lines[3]["turn"], &lines[3]["name"], &lines[3]["reference"]), (&json!(1), &json!("read"), &json!("/do/0/read")));
}

#[test]
fn nothing_in_a_trace_is_obeyed_by_a_terminal() {
    let service = Service::always(Answer::status(500).header("content-type", "text/x\u{9b}1m").text("\u{1b}[2J\u{202e}x"));
    for format in ["human", "json"] {
        let ran = invoke(&team(), &service, &[&GET[..], &["--trace", "--output", format]].concat()).failed();
        assert!(!ran.err.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{:?}", ran.err);
    }
}

#[test]
fn workflow_documents_are_traced_too() {
    let team = Team::new();
    let head = "document: { dsl: 1.0.0, namespace: test, name: it, version: 1.0.0 }\n";
    team.write(
        "flow.yaml",
        format!("{head}do:\n  - loop: {{ for: {{ in: '${{ [1, 2] }}' }}, do: [ {{ note: {{ set: {{ a: 1 }} }} }} ] }}\n"),
    );
    let ran = team.run(&["flow", "run", "flow.yaml", "--trace"]).done();
    insta::assert_snapshot!(timeless(&ran.err), @r"
    flow.yaml [time]
    └─ ✓ loop [time] /do/0/loop
       ├─ ✓ note [time] /do/0/loop/do/0/note
       └─ ✓ note [time] /do/0/loop/do/0/note
    ");
}
