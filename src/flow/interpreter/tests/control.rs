//! Loops, branches, attempts, waits and what is told of them.

use super::*;

fn seconds(world: &Answers) -> i64 {
    world.clock.now().as_second()
}

/// What was told of tasks, in order: `started a`, `completed a`.
fn told(world: &Answers) -> Vec<String> {
    let told = world.told.borrow();
    let events = told.iter().filter_map(|told| {
        let what = match &told.what {
            What::Started => "started",
            What::Completed => "completed",
            What::Faulted(_) => "faulted",
            What::Cancelled => "cancelled",
            What::Retried { .. } => "retried",
            What::Sent(_) | What::Answered { .. } | What::Unanswered(_) => return None,
        };
        Some(format!("{what} {}", told.turn.name))
    });
    events.collect()
}

#[test]
fn a_loop_hands_its_data_from_turn_to_turn() {
    let flow = "
do:
  - loop:
      for: { each: color, in: .colors, at: i }
      while: $color != \"end\"
      do:
        - mark: { set: { colors: '${ .colors }', seen: '${ (.seen // []) + [\"\\($i)\\($color)\"] }' } }
  - last: { set: '${ .seen }' }
";
    assert_eq!(output(flow, &json!({"colors": ["red", "blue", "end", "green"]})), json!(["0red", "1blue"]));
    assert_eq!(output(flow, &json!({"colors": []})), json!(null));
    assert_eq!(fault(flow, &json!({"colors": 7}))["instance"], "/do/0/loop");
    let inner = "do: [ { l: { for: { in: [1] }, do: [ { x: { set: { a: '${ .a.b }' } } } ] } } ]";
    assert_eq!(fault(inner, &json!({"a": 1}))["instance"], "/do/0/l/do/0/x");
    let left =
        "do: [ { l: { for: { in: [1, 2] }, do: [ { x: { set: { n: '${ .n + 1 }' }, then: exit } }, { y: { set: { n: 100 } } } ] } } ]";
    assert_eq!(output(left, &json!({"n": 0})), json!({"n": 2}));
    let ended =
        "do: [ { l: { for: { in: [1, 2] }, do: [ { x: { set: { n: '${ .n + 1 }' }, then: end } } ] } }, { y: { set: { n: 100 } } } ]";
    assert_eq!(output(ended, &json!({"n": 0})), json!({"n": 1}));
}

#[test]
fn branches_run_side_by_side() {
    let flow = "
do:
  - both:
      fork:
        branches:
          - slow: { do: [ { w: { wait: PT10S } }, { s: { set: { is: slow } } } ] }
          - quick: { do: [ { w: { wait: PT5S } }, { s: { set: { is: quick } } } ] }
";
    let world = Answers::default();
    assert_eq!(run_in(&world, flow, &json!({})).result, Ok(json!([{"is": "slow"}, {"is": "quick"}])));
    assert_eq!(seconds(&world), 10);
    let world = Answers::default();
    let race = flow.replace("fork:", "fork:\n        compete: true");
    assert_eq!(run_in(&world, &race, &json!({})).result, Ok(json!({"is": "quick"})));
    assert_eq!(seconds(&world), 5);
    assert!(told(&world).contains(&"cancelled slow".to_owned()), "{:?}", told(&world));
}

#[test]
fn the_first_error_ends_all_branches_but_in_a_race_it_only_loses() {
    let branches = "
          - wrong: { raise: { error: { type: 'https://e.example/x', status: 400 } } }
          - right: { do: [ { w: { wait: PT5S } }, { s: { set: { is: right } } } ] }
";
    let world = Answers::default();
    let together = format!("do: [ {{ f: {{ fork: {{ branches: {} }} }} }} ]", serde_json::to_string(&yaml(branches)).unwrap());
    let fault = run_in(&world, &together, &json!({})).result.unwrap_err();
    assert_eq!((fault.instance.as_deref(), seconds(&world)), (Some("/do/0/f/fork/branches/0/wrong"), 0));
    let race = together.replace("fork: {", "fork: { compete: true,");
    assert_eq!(run_in(&world, &race, &json!({})).result, Ok(json!({"is": "right"})));
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn errors_are_caught_by_what_they_are() {
    let flow = |catch: &str| {
        format!(
            "do: [ {{ t: {{ try: [ {{ get: {{ call: http, with: {{ method: get, endpoint: 'https://h.example/x' }} }} }} ], catch: {catch} }} }} ]"
        )
    };
    let run = |catch: &str| {
        let world = Answers::default();
        world.answers.borrow_mut().push(answer(404, "text/plain", "gone"));
        run_in(&world, &flow(catch), &json!({"in": 1})).result
    };
    let caught = "{ errors: { with: { type: 'https://serverlessworkflow.io/dsl/errors/types/communication', status: 404 } }, as: err, do: [ { s: { set: { error: '${ $err }' } } } ] }";
    let output = run(caught).unwrap();
    assert_eq!(output["error"]["instance"], "/do/0/t/try/0/get");
    assert_eq!((&output["error"]["status"], &output["error"]["title"]), (&json!(404), &json!("Unsuccessful response")));
    assert_eq!(run("{}"), Ok(json!({"in": 1})));
    assert!(run("{ errors: { with: { status: 503 } } }").is_err());
    assert!(run("{ when: '$error.status >= 500' }").is_err());
    assert!(run("{ exceptWhen: '$error.status == 404' }").is_err());
    assert!(run("{ when: '.in == 1', exceptWhen: '$error.status == 500', do: [ { s: { set: { ok: true } } } ] }").is_ok());
    let leaves = flow("{ then: other }").replace(" ]", ", { never: { set: { n: 1 }, then: end } }, { other: { set: { n: 2 } } } ]");
    let world = Answers::default();
    world.answers.borrow_mut().push(answer(404, "text/plain", "gone"));
    let leaves = leaves.replacen(", { never: { set: { n: 1 }, then: end } }, { other: { set: { n: 2 } } } ]", " ]", 1);
    assert_eq!(run_in(&world, &leaves, &json!({})).result, Ok(json!({"n": 2})), "{leaves}");
}

#[test]
fn what_failed_is_tried_again_after_a_growing_delay() {
    let run = |retry: &str, failures: usize| {
        let flow = format!(
            "do: [ {{ t: {{ try: [ {{ get: {{ call: http, with: {{ method: get, endpoint: 'https://h.example/' }} }} }} ], catch: {{ errors: {{ with: {{ status: 503 }} }}, retry: {retry} }} }} }} ]"
        );
        let world = Answers::default();
        world.answers.borrow_mut().push(answer(200, "application/json", "1"));
        world.answers.borrow_mut().extend((0..failures).map(|_| answer(503, "text/plain", "busy")));
        let result = run_in(&world, &flow, &json!({})).result;
        let sent = world.sent.borrow().len();
        (result.map_err(|fault| fault.status), sent, seconds(&world))
    };
    let count = "limit: { attempt: { count: 3 } }";
    assert_eq!(run(&format!("{{ delay: PT2S, {count} }}"), 2), (Ok(json!(1)), 3, 4));
    assert_eq!(run(&format!("{{ delay: PT2S, {count} }}"), 9), (Err(503), 4, 6));
    assert_eq!(run(&format!("{{ delay: PT2S, backoff: {{ linear: {{}} }}, {count} }}"), 9), (Err(503), 4, 12));
    assert_eq!(run(&format!("{{ delay: PT2S, backoff: {{ exponential: {{}} }}, {count} }}"), 9), (Err(503), 4, 14));
    assert_eq!(run("{ delay: PT2S, limit: { duration: PT5S } }", 9), (Err(503), 3, 4));
    assert_eq!(run("{ delay: PT2S, when: '$error.status == 500' }", 9), (Err(503), 1, 0));
    // The World draws 4 of whatever there is.
    assert_eq!(
        run(&format!("{{ delay: PT1S, jitter: {{ from: {{ seconds: 1 }}, to: {{ seconds: 3 }} }}, {count} }}"), 1),
        (Ok(json!(1)), 2, 2)
    );
    // Without a limit it ends with the flow's time, and nothing catches that.
    assert_eq!(run("{ delay: PT1M }", 99), (Err(408), 6, 300));
}

#[test]
fn time_that_is_over_breaks_off() {
    let task = "do: [ { slow: { wait: { minutes: 2 }, timeout: { after: { seconds: 30 } } } } ]";
    let world = Answers::default();
    let fault = run_in(&world, task, &json!({})).result.unwrap_err();
    assert!(fault.is("https://open-workflow-specification.org/spec/1.0.0/errors/timeout"));
    assert_eq!((fault.status, fault.instance.as_deref(), seconds(&world)), (408, Some("/do/0/slow"), 30));
    let whole = "timeout: { after: PT30S }\ndo: [ { slow: { wait: PT60S } } ]";
    let world = Answers::default();
    let fault = run_in(&world, whole, &json!({})).result.unwrap_err();
    assert_eq!((fault.status, fault.instance.as_deref(), seconds(&world)), (408, Some("/"), 30));
    assert_eq!(told(&world), ["started slow", "cancelled slow"]);
    let named = "use: { timeouts: { short: { after: PT1S } } }\ndo: [ { t: { try: [ { slow: { wait: PT60S, timeout: short } } ], catch: { errors: { with: { type: 'https://open-workflow-specification.org/dsl/errors/types/timeout' } }, do: [ { s: { set: { late: true } } } ] } } } ]";
    assert_eq!(output(named, &json!({})), json!({"late": true}));
    let caught = "do: [ { t: { try: [ { slow: { wait: PT1H } } ], catch: { do: [ { s: { set: { late: true } } } ] } } } ]";
    assert_eq!(fault_of(caught), (408, Some("/".to_owned())));
}

fn fault_of(flow: &str) -> (u16, Option<String>) {
    let fault = run_in(&Answers::default(), flow, &json!({})).result.unwrap_err();
    (fault.status, fault.instance)
}

#[test]
fn endless_flows_end_and_nothing_catches_that() {
    let spins = "do: [ { a: { set: {}, then: a } } ]";
    assert_eq!(fault_of(spins), (500, Some("/do/0/a".to_owned())));
    let caught = "do: [ { t: { try: [ { a: { set: {}, then: a } } ], catch: { retry: { } } } } ]";
    assert_eq!(fault_of(caught), (500, Some("/do/0/t/try/0/a".to_owned())));
    let retried =
        "do: [ { t: { try: [ { r: { raise: { error: { type: 'https://e.example/', status: 400 } } } } ], catch: { retry: { } } } } ]";
    assert_eq!(fault_of(retried), (500, Some("/do/0/t".to_owned())));
    let calls = "use: { functions: { f: { call: f } } }\ndo: [ { a: { call: f } } ]";
    assert_eq!(fault_of(calls).0, 500);
    let turns = "do: [ { a: { for: { in: '[range(20000)]' }, do: [ { b: { set: {} } } ] } } ]";
    assert_eq!(fault_of(turns), (500, Some("/do/0/a".to_owned())));
    let branch = "do: [ { a: { set: {} } } ]";
    let branches: String = (0..65).map(|n| format!("{{ b{n}: {} }},", &branch[11..branch.len() - 4])).collect();
    assert_eq!(fault_of(&format!("do: [ {{ f: {{ fork: {{ branches: [{branches}] }} }} }} ]")), (500, Some("/do/0/f".to_owned())));
}

#[test]
fn schemas_are_kept_to_where_they_stand() {
    let validation = "https://open-workflow-specification.org/spec/1.0.0/errors/validation";
    let number = "schema: { format: json, document: { type: object, properties: { n: { type: integer } }, required: [n] } }";
    for (flow, instance) in [
        (format!("input: {{ {number} }}\ndo: [ {{ a: {{ set: {{ n: 1 }} }} }} ]"), "/"),
        (format!("output: {{ {number} }}\ndo: [ {{ a: {{ set: {{ n: x }} }} }} ]"), "/"),
        (format!("do: [ {{ a: {{ input: {{ {number}, from: .x }}, set: {{ n: 1 }} }} }} ]"), "/do/0/a"),
        (format!("do: [ {{ a: {{ output: {{ {number}, as: .n }}, set: {{ n: 1 }} }} }} ]"), "/do/0/a"),
        (format!("do: [ {{ a: {{ export: {{ {number}, as: .n }}, set: {{ n: 1 }} }} }} ]"), "/do/0/a"),
    ] {
        let fault = fault(&flow, &json!({"x": 1}));
        assert_eq!((&fault["type"], &fault["status"], &fault["instance"]), (&json!(validation), &json!(400), &json!(instance)), "{flow}");
    }
    let good =
        format!("input: {{ {number} }}\ndo: [ {{ a: {{ set: '${{ . }}', output: {{ {number} }}, export: {{ {number}, as: . }} }} }} ]");
    assert_eq!(output(&good, &json!({"n": 1})), json!({"n": 1}));
}

#[test]
fn functions_and_extensions_are_run_where_they_are_named() {
    let flow = "
use:
  functions:
    double: { set: { n: '${ .n * 2 }' } }
  extensions:
    - log:
        extend: set
        when: $task.name != \"quiet\"
        before: [ { send: { emit: { event: { with: { type: before, data: '${ $task.reference }' } } } } } ]
        after: [ { send: { emit: { event: { with: { type: after, data: '${ .n }' } } } } } ]
    - mock:
        extend: call
        before: [ { give: { set: { n: 100 }, if: .n == 7, then: exit } } ]
do:
  - quiet: { set: { n: '${ .n }' } }
  - loud: { set: { n: '${ .n + 1 }' } }
  - twice: { call: double, with: { n: '${ .n * 10 }' } }
";
    let world = Answers::default();
    let outcome = run_in(&world, flow, &json!({"n": 1}));
    assert_eq!(outcome.result, Ok(json!({"n": 40})));
    let events: Vec<_> = outcome.events.iter().map(|event| (event["type"].clone(), event["data"].clone())).collect();
    assert_eq!(events[..2], [(json!("before"), json!("/do/1/loud")), (json!("after"), json!(2))]);
    let loud = run_in(&world, flow, &json!({"n": 6}));
    assert_eq!(loud.result, Ok(json!({"n": 100})));
}

#[test]
fn loose_text_is_an_expression_if_it_can_be_one() {
    let flow = "evaluate: { mode: loose }\ndo: [ { a: { set: { sum: .x + 1, kind: circle, said: 'hello there', strict: '${ .x }' } } } ]";
    assert_eq!(output(flow, &json!({"x": 1})), json!({"sum": 2, "kind": "circle", "said": "hello there", "strict": 1}));
}

#[test]
fn secrets_are_given_and_never_shown() {
    let flow = "
use: { secrets: [login] }
do:
  - get: { call: http, with: { method: get, endpoint: { uri: 'https://h.example/', authentication: { basic: { use: login } } }, headers: { X: '${ $secrets.login.password[1:] }' }, output: response } }
";
    let world = Answers::default();
    world.answers.borrow_mut().push(answer(200, "text/plain", "you are hunter2"));
    let secrets = json!({"login": {"username": "me", "password": "hunter2"}});
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let run = |secrets: &Value| {
        let flow = workflow(flow);
        runtime.block_on(world.clock.drive(flow.run(&json!({}), secrets.as_object().unwrap(), &world, Budget::default()))).result
    };
    let output = run(&secrets).unwrap();
    let sent = world.sent.borrow_mut().remove(0);
    assert_eq!((sent.header("authorization"), sent.header("x")), (Some("Basic bWU6aHVudGVyMg=="), Some("unter2")));
    assert_eq!(output["content"], "you are [redacted]");
    assert_eq!(output["request"]["headers"], json!({"X": "[redacted]", "authorization": "Basic [redacted]"}));
    let fault = run(&json!({})).unwrap_err();
    assert!(fault.status == 403 && fault.is("https://open-workflow-specification.org/spec/1.0.0/errors/authorization"));
}
