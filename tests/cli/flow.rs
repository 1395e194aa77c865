//! `flow run` runs a stand-alone workflow document.

use crate::support::command::Team;

const FLOW: &str = "document: { dsl: 1.0.0, namespace: test, name: greet, version: 1.0.0 }
do:
  - greet: { set: { greeting: '${ \"Hello, \" + .name }' } }
";

#[test]
fn the_output_is_the_result() {
    let team = Team::new();
    team.write("greet.yaml", FLOW);
    let ran = team.run(&["flow", "run", "greet.yaml", "--input", r#"{"name": "Alice"}"#]).done();
    assert_eq!(ran.json(), serde_json::json!({ "greeting": "Hello, Alice" }));
    team.write("input.json", r#"{"name": "Bob"}"#);
    let ran = team.run(&["flow", "run", "greet.yaml", "--input", "@input.json"]).done();
    assert_eq!(ran.json()["greeting"], "Hello, Bob");
}

#[test]
fn mistakes_are_told() {
    let team = Team::new();
    team.write("greet.yaml", FLOW);
    let ran = team.run(&["flow", "run", "greet.yaml", "--input", "name"]).two();
    assert!(ran.err.contains("it is not JSON"), "{}", ran.err);
    let ran = team.run(&["flow", "run", "none.yaml"]).failed();
    assert!(ran.err.contains("cannot read none.yaml"), "{}", ran.err);
    team.write("broken.yaml", "do: 7");
    let ran = team.run(&["flow", "run", "broken.yaml"]).failed();
    assert!(ran.err.contains("broken.yaml:") && ran.out.is_empty(), "{}", ran.err);
}

#[test]
fn what_never_ends_is_not_read() {
    let team = Team::nowhere();
    let ran = team.run_in(team.outside(), &["flow", "run", "/dev/zero"]).failed();
    assert!(ran.err.contains("cannot read /dev/zero: it is not a file"), "{}", ran.err);
    std::fs::write(team.outside().join("large.yaml"), vec![b' '; 1024 * 1024 + 1]).unwrap();
    let ran = team.run_in(team.outside(), &["flow", "run", "large.yaml"]).failed();
    assert!(ran.err.contains("more than 1048576 bytes"), "{}", ran.err);
}
