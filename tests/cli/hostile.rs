//! A connector whose suites do harm, beside a good one: its tests fail, each with its reason in words, and nobody else notices.

use crate::support::command::Team;

/// Its expressions are more than a worker has room for, and each case says so in other words.
const MANIFEST: &str = r#"apiVersion: switchboard/v1
name: trouble
title: Trouble
description: Does harm.
kind: self-built
version: 1.0.0
status: editing
owner: alice@example.com
connection: { hosts: [127.0.0.1], baseUrl: "http://127.0.0.1:1" }
actions:
  memory: { title: Memory, description: Takes all memory., do: [ { t: { set: { x: "${ reduce range(40) as $_ (\"x\"; . + .) | length }" } } } ] }
  stack: { title: Stack, description: Never returns., do: [ { t: { set: { x: "${ def f: 1 + f; f }" } } } ] }
  size: { title: Size, description: Says too much., do: [ { t: { set: { x: "${ \"0123456789\" * 900000 }" } } } ] }
  network: { title: Network, description: Looks around., do: [ { t: { call: request, with: { method: get, path: / } } } ] }
  good: { title: Good, description: Does no harm., do: [ { t: { set: { x: 2 } } } ] }
"#;

const SUITE: &str = "title: Harm
cases:
  - { title: memory, action: memory, expect: { output: { x: 2 } } }
  - { title: stack, action: stack, expect: { output: { x: 2 } } }
  - { title: size, action: size, expect: { output: { x: 2 } } }
  - { title: network, action: network, expect: { output: { x: 2 } } }
  - { title: good, action: good, expect: { output: { x: 2 } } }
";

/// Why each case fails, in its order.
const REASONS: [&str; 4] = [
    "the worker ran out of memory (limit 512 MiB)",
    "the stack overflowed",
    "the value is bigger than",
    "request 1 is not expected, none is",
];

fn team() -> Team {
    let team = Team::with_crm();
    team.write("connectors/trouble/connector.yaml", MANIFEST);
    team.write("connectors/trouble/tests/harm.yaml", SUITE);
    team.commit_all("Add trouble");
    team
}

#[test]
fn the_other_connectors_pass_their_tests() {
    let json = team().run(&["test", "--output", "json"]).failed().json();
    assert_eq!((json["passed"].as_u64(), json["failed"].as_u64()), (Some(6), Some(4)), "{json:#}");
    let cases = json["evidence"][1]["cases"].as_array().unwrap();
    for (case, reason) in cases.iter().zip(REASONS) {
        assert!(case["failures"][0]["message"].as_str().unwrap().contains(reason), "{reason}: {case:#}");
    }
    assert_eq!(cases[4]["outcome"], "passed");
}

#[test]
fn the_loop_goes_on_and_publishes_the_others() {
    let team = team();
    team.run(&["publish", "crm", "--commit"]).done();
    team.run(&["publish", "trouble", "--commit"]).done();
    let ran = team.run(&["apply"]);
    assert!(ran.code != 2, "{}", ran.err);
    assert_eq!(team.stage("crm"), "in-review");
    assert_eq!(team.stage("trouble"), "pre-published");
    let shown = team.run(&["show", "trouble"]).done();
    assert!(shown.out.contains("passing tests: 4 failed"), "{}", shown.out);
    assert!(shown.out.contains("finished: 1 passed, 4 failed"), "{}", shown.out);
}
