//! Stand-alone workflow documents, and the check of flows without running them.

use serde_json::json;
use switchboard::harness::{FlowOutcome, run_flow};
use switchboard::manifest::Bundle;

use super::{HEAD, files, impatient};

async fn flow(text: &str) -> FlowOutcome {
    run_flow(&impatient(), "flow.yaml", text.as_bytes(), json!({"n": 2})).await.unwrap()
}

#[tokio::test]
async fn a_stand_alone_workflow_runs() {
    let head = "document: { dsl: '1.0.3', namespace: test, name: it, version: '0.1.0' }\n";
    let text = format!(
        "{head}input: {{ from: '.n' }}\ndo:\n  - a: {{ set: {{ m: '${{ $input + 1 }}', who: '${{ $workflow.definition.document.name }}/${{ $task.reference }}' }} }}\noutput: {{ as: '{{m, who}}' }}\n"
    );
    assert_eq!(flow(&text).await, FlowOutcome::Output(json!({"m": 3, "who": "it//do/0/a"})));

    let text = format!(
        "{head}use: {{ errors: {{ bad: {{ type: 'https://e.example/bad', status: 400 }} }} }}\ndo: [ {{ a: {{ raise: {{ error: bad }} }} }} ]\n"
    );
    let fault = json!({"type": "https://e.example/bad", "status": 400, "instance": "/do/0/a"});
    assert_eq!(flow(&text).await, FlowOutcome::Fault(fault));

    let text = format!("{head}do: [ {{ a: {{ call: http, with: {{ method: get, endpoint: 'https://example.com' }} }} }} ]\n");
    let FlowOutcome::Fault(fault) = flow(&text).await else { panic!() };
    assert!(fault["detail"].as_str().unwrap().contains("later version"), "{fault}");

    let text = format!("{head}do: [ {{ a: {{ set: {{ x: '${{ def f: 1 + f; f }}' }} }} }} ]\n");
    let FlowOutcome::Fault(fault) = flow(&text).await else { panic!() };
    assert_eq!(fault["detail"], "the stack overflowed");

    let FlowOutcome::Invalid(problems) = flow("document: {}\ndoo: []\n").await else { panic!() };
    assert!(problems.len() >= 6 && problems.iter().all(|problem| problem.place.file == "flow.yaml"), "{problems:?}");
}

#[test]
fn checking_finds_problems_at_their_places() {
    let manifest = format!("{HEAD}actions:\n  a:\n    do:\n      - t: {{ set: {{ x: \"${{ .a | }}\" }}, thn: end }}\n");
    let bundle = Bundle::read("issues", &files(&manifest, "  - { title: x, action: a, expect: { output: 1 } }\n")).unwrap();
    let problems = switchboard::flow::check(&bundle);
    let shown: Vec<_> = problems.iter().map(|problem| (problem.code.as_str(), problem.place.line, problem.place.column)).collect();
    let line = u32::try_from(manifest.lines().count()).unwrap();
    assert_eq!(shown, [("SB310", line, 24), ("SB302", line, 39)], "{problems:?}");
}
