//! `flow run` runs a stand-alone workflow document.

use serde_json::json;

use crate::support::command::Team;
use crate::support::http::{Answer, Service};

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

const HEAD: &str = "document: { dsl: 1.0.0, namespace: test, name: it, version: 1.0.0 }\n";

fn call(endpoint: &str) -> String {
    format!("{HEAD}do:\n  - ask: {{ call: http, with: {{ method: get, endpoint: '{endpoint}' }} }}\n")
}

#[test]
fn without_an_input_it_is_null() {
    let team = Team::nowhere();
    let flow = format!("{HEAD}do:\n  - add: {{ set: {{ colors: '${{ .colors + [\"red\"] }}' }} }}\n");
    std::fs::write(team.outside().join("flow.yaml"), flow).unwrap();
    let ran = team.run_in(team.outside(), &["flow", "run", "flow.yaml"]).done();
    assert_eq!(ran.json(), json!({ "colors": ["red"] }));
}

#[test]
fn requests_go_where_hosts_are_mapped_to() {
    let service = Service::start(|request| Answer::json(json!({ "host": request.header("host"), "target": request.target })));
    let team = Team::new();
    team.write("flow.yaml", call("https://api.example.com/pets/1"));
    let mapping = format!("api.example.com={}", service.url("/stub"));
    let ran = team.run(&["flow", "run", "flow.yaml", "--map-host", "other.example.com=http://127.0.0.1:1", "--map-host", &mapping]).done();
    assert_eq!(ran.json(), json!({ "host": service.address.to_string(), "target": "/stub/pets/1" }));
    let ran = team.run(&["flow", "run", "flow.yaml", "--map-host", "api.example.com"]).two();
    assert!(ran.err.contains("expected HOST=URL"), "{}", ran.err);
}

#[test]
fn private_addresses_are_reached_only_where_that_is_asked_for() {
    let service = Service::always(Answer::json(json!({ "a": 1 })));
    let team = Team::new();
    for host in ["127.0.0.1", "localhost"] {
        team.write("flow.yaml", call(&format!("http://{host}:{}/", service.address.port())));
        let ran = team.run(&["flow", "run", "flow.yaml"]).failed();
        assert!(ran.err.contains("a loopback address, which is not allowed"), "{}", ran.err);
    }
    assert_eq!(service.requests().len(), 0);
    assert_eq!(team.run(&["flow", "run", "flow.yaml", "--allow-private"]).done().json(), json!({ "a": 1 }));
}

#[test]
fn a_fault_is_one_json_document_and_nothing_else() {
    let service = Service::always(Answer::status(404).text("no \u{1b}[2J such pet"));
    let team = Team::new();
    team.write("flow.yaml", call(&service.url("/pets/1")));
    for format in ["human", "json"] {
        let ran = team.run(&["flow", "run", "flow.yaml", "--allow-private", "--output", format]).failed();
        let fault: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!((&fault["status"], &fault["instance"]), (&json!(404), &json!("/do/0/ask")), "{fault}");
        assert!(!ran.err.contains('\u{1b}') && ran.out.is_empty(), "{ran:?}");
    }
}

#[test]
fn limits_end_what_takes_too_long() {
    let service = Service::always(Answer::never());
    let team = Team::new();
    let endless = format!("{HEAD}do:\n  - spin: {{ set: {{ x: '${{ def f: f; f }}' }} }}\n");
    for (flow, limit, detail) in [
        (call(&service.url("/")), ["--flow-time", "1s"], "the flow ran longer than 1 s"),
        (endless.clone(), ["--flow-time", "1s"], "the flow ran longer than 1 s"),
        (endless, ["--evaluation-time", "500ms"], "an expression was evaluated for longer than 500 ms"),
    ] {
        team.write("flow.yaml", flow);
        let ran = team.run(&[&["flow", "run", "flow.yaml", "--allow-private"][..], &limit].concat()).failed();
        let fault: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!((&fault["status"], &fault["detail"]), (&json!(408), &json!(detail)), "{fault}");
    }
    let ran = team.run_with(&team.root(), &["flow", "run", "flow.yaml"], &[("SWITCHBOARD_EVALUATION_TIME", "soon")]).two();
    assert!(ran.err.contains("expected a length of time"), "{}", ran.err);
}

#[test]
fn what_a_flow_emits_is_written_without_its_secrets_however_it_ends() {
    let team = Team::new();
    let emit = |data: &str| format!("{{ emit: {{ event: {{ with: {{ type: com.example.told, data: {data} }} }} }} }}");
    let bad = "{ raise: { error: { type: 'https://e.example/bad', status: 400 } } }";
    let flow = format!(
        "{HEAD}use: {{ secrets: [key] }}\ndo:\n  - one: {}\n  - two: {}\n  - bad: {bad}\n",
        emit("{ n: 1 }"),
        emit("'${ $secrets.key }'")
    );
    team.write("flow.yaml", flow);
    team.run(&["flow", "run", "flow.yaml", "--emitted", "emitted.jsonl", "--secrets", r#"{"key":"t0ps3cret"}"#]).failed();
    let events: Vec<serde_json::Value> = team.read("emitted.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = events.iter().map(|event| (event["type"].as_str().unwrap(), event["data"].clone())).collect();
    assert_eq!(told, [("com.example.told", json!({ "n": 1 })), ("com.example.told", json!("[redacted]"))]);
}

#[test]
fn events_are_written_as_they_happen_and_to_the_end() {
    let team = Team::new();
    let flow = format!(
        "{HEAD}do:\n  - outer:\n      do:\n        - inner: {{ set: {{ a: 1 }} }}\n        - bad: {{ raise: {{ error: {{ type: 'https://e.example/bad', status: 400 }} }} }}\n"
    );
    team.write("flow.yaml", flow);
    team.run(&["flow", "run", "flow.yaml", "--events", "events.jsonl"]).failed();
    let lines: Vec<serde_json::Value> = team.read("events.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| [&line["task"], &line["name"], &line["event"]].map(|text| text.as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ["/do/0/outer", "outer", "started"],
            ["/do/0/outer/do/0/inner", "inner", "started"],
            ["/do/0/outer/do/0/inner", "inner", "completed"],
            ["/do/0/outer/do/1/bad", "bad", "started"],
            ["/do/0/outer/do/1/bad", "bad", "faulted"],
            ["/do/0/outer", "outer", "faulted"],
        ]
    );
    let times: Vec<jiff::Timestamp> = lines.iter().map(|line| line["time"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_run_that_is_ended_from_outside_leaves_no_task_open() {
    let team = Team::new();
    team.write("flow.yaml", format!("{HEAD}do:\n  - outer: {{ do: [ {{ spin: {{ set: {{ x: '${{ def f: f; f }}' }} }} }} ] }}\n"));
    let ran = team.run(&["flow", "run", "flow.yaml", "--events", "events.jsonl", "--evaluation-time", "2s"]).failed();
    let fault: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&fault["status"], &fault["instance"]), (&json!(408), &json!("/do/0/outer/do/0/spin")), "{fault}");
    let lines: Vec<serde_json::Value> = team.read("events.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| [&line["name"], &line["event"]].map(|text| text.as_str().unwrap())).collect();
    assert_eq!(told, [["outer", "started"], ["spin", "started"], ["spin", "faulted"], ["outer", "faulted"]]);
}

#[test]
fn files_beside_the_document_are_read_and_no_others() {
    let service = Service::always(Answer::json(json!({ "name": "Milou" })));
    let team = Team::nowhere();
    let folder = team.outside().join("flows");
    std::fs::create_dir(&folder).unwrap();
    let pets = json!({
        "openapi": "3.0.0", "info": { "title": "Pets", "version": "1" }, "servers": [{ "url": "https://pets.example.com" }],
        "paths": { "/pets/1": { "get": { "operationId": "getPet", "responses": { "200": { "description": "it" } } } } },
    });
    for at in [folder.join("pets.json"), team.outside().join("pets.json")] {
        std::fs::write(at, pets.to_string()).unwrap();
    }
    let mapping = format!("pets.example.com={}", service.url(""));
    let run = |document: &str| {
        let tasks = format!("do:\n  - pet: {{ call: openapi, with: {{ document: {{ endpoint: '{document}' }}, operationId: getPet }} }}\n");
        std::fs::write(folder.join("flow.yaml"), format!("{HEAD}{tasks}")).unwrap();
        team.run_in(team.outside(), &["flow", "run", "flows/flow.yaml", "--map-host", &mapping])
    };
    assert_eq!(run("pets.json").done().json(), json!({ "name": "Milou" }));
    let refused = run("../pets.json").failed();
    assert!(refused.out.is_empty(), "{refused:?}");
    assert_eq!(service.requests().len(), 1);
}

#[test]
fn branches_ask_at_once() {
    let both = std::sync::Barrier::new(2);
    let service = Service::start(move |request| {
        both.wait();
        Answer::json(request.path())
    });
    let team = Team::new();
    let branch = |name: &str| format!("          - {name}: {{ call: http, with: {{ method: get, endpoint: '{}' }} }}\n", service.url(name));
    team.write("flow.yaml", format!("{HEAD}do:\n  - ask:\n      fork:\n        branches:\n{}{}", branch("one"), branch("two")));
    let ran = team.run(&["flow", "run", "flow.yaml", "--allow-private", "--flow-time", "20s"]).done();
    assert_eq!(ran.json(), json!(["/one", "/two"]));
}

#[test]
fn secrets_are_read_from_a_file_and_shown_nowhere() {
    let service = Service::start(|request| Answer::json(json!({ "you": request.header("x-key") })));
    let team = Team::new();
    let tasks = format!(
        "use: {{ secrets: [key] }}\ndo:\n  - ask: {{ call: http, with: {{ method: get, endpoint: '{}', headers: {{ X-Key: '${{ $secrets.key }}' }} }} }}\n",
        service.url("/")
    );
    team.write("flow.yaml", format!("{HEAD}{tasks}"));
    team.write("secrets.json", r#"{ "key": "t0ps3cret" }"#);
    let ran = team.run(&["flow", "run", "flow.yaml", "--allow-private", "--secrets", "@secrets.json", "--trace"]).done();
    assert_eq!(ran.json(), json!({ "you": "[redacted]" }));
    assert_eq!(service.request().header("x-key"), Some("t0ps3cret"));
    assert!(ran.err.contains("[redacted]") && !ran.err.contains("t0ps3cret"), "{}", ran.err);
    for given in [r#"{ "key": "t0ps3cret" "#, r#"["t0ps3cret"]"#] {
        let ran = team.run(&["flow", "run", "flow.yaml", "--secrets", given]).two();
        assert!(ran.err.contains("not a map in JSON") && !ran.err.contains("t0ps3cret"), "{}", ran.err);
    }
}
