//! Workflows that would never end, or take all there is, through the front door with real workers: each ends with an error of RFC 7807,
//! within its limit.

use std::fs;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::command::Team;
use crate::support::http::{Answer, Service};

const STANDARD: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/";

/// How a hostile workflow has to end.
#[derive(Clone, Copy)]
struct End {
    kind: &'static str,
    status: u16,
    /// What the error's title or detail says.
    says: &'static str,
}

const OUT_OF_TIME: End = End { kind: "timeout", status: 408, says: "was evaluated for longer than 2 s" };
const OUT_OF_MEMORY: End = End { kind: "runtime", status: 500, says: "worker ended" };
/// Whether memory or time is over first is the machine's to say.
const EITHER: [End; 2] = [OUT_OF_TIME, OUT_OF_MEMORY];

/// Runs it, and sees that it ends in one of these ways, and not more than a fifth later than its longest limit, the flow's five seconds.
fn ends(tasks: &str, flags: &[&str], ends: &[End]) -> Value {
    let team = Team::nowhere();
    let document = "document: { dsl: 1.0.3, namespace: test, name: hostile, version: 1.0.0 }";
    fs::write(team.outside().join("flow.yaml"), format!("{document}\n{tasks}\n")).unwrap();
    let time = if flags.contains(&"--flow-time") { &[][..] } else { &["--flow-time", "5s"] };
    let usual = ["flow", "run", "flow.yaml", "--events", "events", "--evaluation-time", "2s"];
    let ran = team.run_in(team.outside(), &[&usual[..], time, flags].concat());
    let fault: Value = serde_json::from_str(&ran.err).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert!(ran.code == 1 && ran.out.is_empty(), "{ran:?}");
    let said = format!("{} {}", fault["title"], fault["detail"]);
    let is_it = |end: &&End| fault["type"] == format!("{STANDARD}{}", end.kind) && fault["status"] == end.status && said.contains(end.says);
    assert!(ends.iter().find(is_it).is_some(), "{fault}");
    assert!(fault["instance"].as_str().is_some_and(|instance| instance.starts_with('/')), "{fault}");
    let events = fs::read_to_string(team.outside().join("events")).unwrap();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |event: &Value| event["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let took = at(events.last().unwrap()).duration_since(at(&events[0]));
    assert!(took.as_secs_f64() < 6.0, "it took {took}");
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!(count("started"), count("completed") + count("faulted") + count("cancelled"), "a task is left open");
    fault
}

fn set(expression: &str) -> String {
    format!("do: [ {{ a: {{ set: {{ x: '${{ {expression} }}' }} }} }} ]")
}

#[test]
fn endless_expressions_end() {
    for expression in ["def f: f; f", "[limit(1e18; repeat(1)) | empty]", "last(range(1e18))", "until(false; . )"] {
        let fault = ends(&set(expression), &[], &[OUT_OF_TIME]);
        assert_eq!(fault["instance"], "/do/0/a", "{expression}");
    }
}

#[test]
fn endless_recursion_ends() {
    for expression in ["def f: 1 + f; f", "def f: [f]; f", "def f(x): f(x | [x]); f(1)"] {
        ends(&set(expression), &[], &EITHER);
    }
}

#[test]
fn values_without_bounds_end() {
    for expression in [
        "[range(500) as $i | \"x\" * 9000000]",
        "[range(1e9)]",
        "reduce range(40) as $_ (\"x\"; . + .)",
        "[range(1e8) | tostring] | join(\"\")",
    ] {
        ends(&set(expression), &[], &EITHER);
    }
}

#[test]
fn data_that_doubles_with_every_task_ends() {
    ends("do: [ { a: { set: { x: '${ . }', y: '${ . }' } } }, { b: { set: { z: 'a ${ . } b ${ . }' }, then: a } } ]", &[], &EITHER);
}

#[test]
fn an_output_that_is_too_big_is_refused() {
    let big = End { kind: "runtime", status: 500, says: "bigger than 1048576 bytes" };
    ends(&set("\"x\" * 2000000"), &["--message-size", "1"], &[big]);
    let deep = End { kind: "runtime", status: 500, says: "nests deeper than 100 levels" };
    ends(&set("reduce range(500) as $_ (0; [.])"), &[], &[deep]);
}

#[test]
fn endless_loops_end() {
    let steps = End { kind: "runtime", status: 500, says: "ran more than 2000 tasks" };
    let few = ["--flow-steps", "2000", "--flow-turns", "500"];
    ends("do: [ { a: { set: { n: 1 } } }, { b: { set: { n: 2 }, then: a } } ]", &few, &[steps]);
    let turns = End { kind: "runtime", status: 500, says: "took more than 500 turns" };
    ends("do: [ { a: { for: { in: '[range(1000000)]' }, do: [ { b: { set: { n: 1 } } } ] } } ]", &few, &[turns]);
    let raises = "{ raise: { error: { type: about:blank, status: 500 } } }";
    ends(&format!("do: [ {{ a: {{ try: [ {{ b: {raises} }} ], catch: {{ retry: {{}} }} }} }} ]"), &few, &[turns]);
    let calls = End { kind: "runtime", status: 500, says: "deeper than 16 levels" };
    ends("use: { functions: { f: { call: g }, g: { call: f } } }\ndo: [ { a: { call: f } } ]", &few, &[calls]);
    let events = End { kind: "runtime", status: 500, says: "emitted more than 10 events" };
    ends("do: [ { a: { emit: { event: { with: { type: x } } }, then: a } } ]", &["--flow-events", "10"], &[events]);
}

#[test]
fn thousands_of_branches_are_not_opened() {
    let many = End { kind: "runtime", status: 500, says: "more than 64 branches" };
    let branches: Vec<String> = (0..3000).map(|n| format!("{{ b{n}: {{ wait: PT1S }} }}")).collect();
    ends(&format!("do: [ {{ a: {{ fork: {{ branches: [ {} ] }} }} }} ]", branches.join(", ")), &[], &[many]);
    let inner = (0..9).map(|n| format!("{{ c{n}: {{ wait: PT1S }} }}")).collect::<Vec<_>>().join(", ");
    let outer: Vec<String> = (0..9).map(|n| format!("{{ b{n}: {{ fork: {{ branches: [ {inner} ] }} }} }}")).collect();
    ends(&format!("do: [ {{ a: {{ fork: {{ branches: [ {} ] }} }} }} ]", outer.join(", ")), &[], &[many]);
}

#[test]
fn responses_without_bounds_are_not_read() {
    let too_big = End { kind: "communication", status: 500, says: "is bigger than 16777216 bytes" };
    let endless = Service::always(Answer::endless(vec![b'x'; 1 << 20]));
    let large = Service::always(Answer::status(200).bytes(vec![b'x'; 64 << 20]));
    for service in [&endless, &large] {
        let call = format!("do: [ {{ a: {{ call: http, with: {{ method: get, endpoint: '{}' }} }} }} ]", service.url("/"));
        ends(&call, &["--allow-private"], &[too_big]);
    }
}

#[test]
fn what_waits_for_ever_ends() {
    let out_of_time = End { kind: "timeout", status: 408, says: "ran longer than 1 s" };
    ends("do: [ { a: { wait: P9000D } } ]", &["--flow-time", "1s"], &[out_of_time]);
    let silent = Service::always(Answer::never());
    let call = format!("do: [ {{ a: {{ call: http, with: {{ method: get, endpoint: '{}' }} }} }} ]", silent.url("/"));
    ends(&call, &["--allow-private", "--flow-time", "1s"], &[out_of_time]);
    let caught = "do: [ { t: { try: [ { a: { wait: P1D } } ], catch: { retry: {}, do: [ { b: { wait: P1D } } ] } } } ]";
    ends(caught, &["--flow-time", "1s"], &[out_of_time]);
}

#[test]
fn a_pattern_that_backtracks_ends() {
    let schema = "schema: { document: { properties: { x: { pattern: \"^(a|a)*(?=b)$\" } } } }";
    let flow = format!("do: [ {{ a: {{ set: {{ x: '${{ \"a\" * 40 }}' }}, output: {{ {schema} }} }} }} ]");
    ends(&flow, &[], &[End { kind: "validation", status: 400, says: "does not fit its schema" }]);
}
