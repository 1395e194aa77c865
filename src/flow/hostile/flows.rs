//! Flows of every kind of task, well-formed and in bad taste.

use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop, prop_oneof};
use serde_json::{Map, Value, json};

use super::expressions::{expression, text, whole};

/// A workflow whose tasks nest a few levels deep.
pub(super) fn workflow() -> impl Strategy<Value = Value> {
    let around = (maybe(shape("from")), maybe(shape("as")), maybe(timeout()), prop::collection::vec(extension(), 0..2));
    (tasks(4), around, any::<bool>()).prop_map(|(tasks, (input, output, timeout, extensions), loose)| {
        let mut whole = json!({
            "document": { "dsl": "1.0.3", "namespace": "test", "name": "hostile", "version": "1.0.0" },
            "use": {
                "secrets": ["key", "pair", "none"],
                "functions": {
                    "once": { "set": { "a": "${ . }" } },
                    "again": { "call": "again", "with": { "a": "${ . }" } },
                },
                "retries": { "patient": { "delay": "PT1M", "backoff": { "exponential": {} } } },
                "timeouts": { "short": { "after": "PT5S" } },
                "errors": { "rain": { "type": "https://farm.example/rain/{a}", "status": 503, "title": "${ $secrets.key }" } },
                "authentications": { "door": { "basic": { "username": "ann", "password": "${ $secrets.key }" } } },
                "extensions": extensions.into_iter().map(|extension| without(extension, &WITHIN)).collect::<Vec<_>>(),
            },
            "evaluate": { "mode": if loose { "loose" } else { "strict" } },
            "do": tasks,
        });
        for (key, value, lacking) in
            [("input", input, &BEFORE_FLOW[..]), ("output", output, &AFTER_FLOW), ("timeout", timeout, &BEFORE_FLOW)]
        {
            insert(&mut whole, key, value.map(|value| without(value, lacking)));
        }
        whole
    })
}

fn insert(map: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(map), Some(value)) = (map.as_object_mut(), value) {
        map.insert(key.to_owned(), value);
    }
}

/// The variables that have no value at a stage of a flow.
const BEFORE_FLOW: [&str; 5] = ["$context", "$input", "$output", "$task", "$authorization"];
const AFTER_FLOW: [&str; 4] = ["$input", "$output", "$task", "$authorization"];
const BEFORE_TASK: [&str; 3] = ["$input", "$output", "$authorization"];
const WITHIN: [&str; 1] = ["$output"];

/// The same without reading these variables, which would be refused.
fn without(value: Value, lacking: &[&str]) -> Value {
    let text = lacking.iter().fold(value.to_string(), |text, variable| text.replace(variable, "$runtime"));
    serde_json::from_str(&text).unwrap()
}

/// Mostly nothing.
fn maybe<T: Clone + std::fmt::Debug + 'static>(what: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = Option<T>> {
    prop_oneof![4 => Just(None), 1 => what.prop_map(Some)]
}

/// A list of tasks with names of their own, some of which lead to another.
fn tasks(depth: u32) -> BoxedStrategy<Value> {
    prop::collection::vec((task(depth), maybe(then())), 1..4)
        .prop_map(|tasks| {
            let count = tasks.len();
            let named = tasks.into_iter().enumerate().map(|(index, (mut task, then))| {
                insert(&mut task, "then", then.map(|then| then.named(count)));
                json!({ (format!("t{index}")): task })
            });
            named.collect()
        })
        .boxed()
}

/// Where a task or a case leads.
#[derive(Debug, Clone)]
enum Then {
    Word(&'static str),
    Task(usize),
}

impl Then {
    fn named(&self, count: usize) -> Value {
        match self {
            Self::Word(word) => json!(word),
            Self::Task(index) => json!(format!("t{}", index % count)),
        }
    }
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![prop::sample::select(vec!["continue", "exit", "end"]).prop_map(Then::Word), any::<usize>().prop_map(Then::Task)]
}

fn task(depth: u32) -> BoxedStrategy<Value> {
    let act = if depth == 0 { plain_act().boxed() } else { prop_oneof![3 => plain_act(), 2 => outer_act(depth - 1)].boxed() };
    let around = (maybe(expression()), maybe(shape("from")), maybe(shape("as")), maybe(shape("as")), maybe(timeout()));
    (act, around)
        .prop_map(|(mut task, (condition, input, output, export, timeout))| {
            let output = output.filter(|_| task.get("output").is_none());
            task = without(task, &WITHIN);
            for (key, value, lacking) in [
                ("if", condition.map(Value::from), &BEFORE_TASK[..]),
                ("input", input, &BEFORE_TASK),
                ("timeout", timeout, &BEFORE_TASK),
                ("output", output, &WITHIN),
                ("export", export, &[]),
            ] {
                insert(&mut task, key, value.map(|value| without(value, lacking)));
            }
            task
        })
        .boxed()
}

/// `input`, `output` or `export`.
fn shape(key: &'static str) -> impl Strategy<Value = Value> {
    let schema = json!({ "document": { "type": ["object", "array", "null"], "properties": { "a": { "type": "string" } } } });
    let template = prop_oneof![expression().prop_map(Value::from), map()];
    (maybe(Just(schema)), maybe(template)).prop_map(move |(schema, template)| {
        let mut shape = json!({});
        insert(&mut shape, "schema", schema);
        insert(&mut shape, key, template);
        shape
    })
}

/// A map of texts with expressions in them.
fn map() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec!["a", "b", "type", "x-y", "é"]);
    let value = prop_oneof![4 => text().prop_map(Value::from), 1 => prop::collection::vec(text(), 0..3).prop_map(Value::from)];
    (prop::collection::vec((key, value), 0..3), whole()).prop_map(|(entries, whole)| {
        let mut map: Map<_, _> = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        map.insert("c".to_owned(), json!(whole));
        Value::Object(map)
    })
}

fn span() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "milliseconds": 3 })),
        Just(json!("PT2S")),
        Just(json!("P3000D")),
        Just(json!({ "days": 36_600 })),
        expression().prop_map(|source| json!(format!("${{ {source} }}"))),
    ]
}

fn timeout() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!("short")), span().prop_map(|span| json!({ "after": span }))]
}

/// Acts that have no tasks in them.
fn plain_act() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop_oneof![map(), whole().prop_map(Value::from)].prop_map(|set| json!({ "set": set })),
        2 => call(),
        1 => span().prop_map(|span| json!({ "wait": span })),
        1 => (text(), map()).prop_map(|(data, more)| {
            let mut with = more;
            insert(&mut with, "type", Some(json!("example.rain")));
            insert(&mut with, "data", Some(json!(data)));
            json!({ "emit": { "event": { "with": with } } })
        }),
        1 => prop_oneof![
            Just(json!("rain")),
            (text(), 100..600_u16, text()).prop_map(|(kind, status, detail)| json!({ "type": kind.replace(['{', '}'], ""), "status": status, "detail": detail })),
            expression().prop_map(|status| json!({ "type": "about:blank", "status": format!("${{ {status} }}"), "instance": "${ .a }" })),
        ]
        .prop_map(|error| json!({ "raise": { "error": error } })),
        1 => prop::collection::vec((expression(), then()), 1..3).prop_map(|cases| {
            let cases = cases.iter().map(|(when, then)| json!({ "one": { "when": when, "then": then.named(1) } }));
            json!({ "switch": cases.collect::<Vec<_>>() })
        }),
    ]
}

fn call() -> impl Strategy<Value = Value> {
    let function = prop::sample::select(vec!["once", "again"]);
    let http = (text(), maybe(map()), maybe(map()), maybe(text()), prop::sample::select(vec!["content", "response", "raw"]), any::<bool>());
    prop_oneof![
        1 => (function, maybe(map())).prop_map(|(name, with)| {
            let mut task = json!({ "call": name });
            insert(&mut task, "with", with);
            task
        }),
        3 => http.prop_map(|(uri, headers, query, body, output, login)| {
            // What is written out must be a template that can be read.
            let uri = if uri.contains("${") || uri.starts_with("https://h") { uri } else { "https://h.example/".to_owned() };
            let mut with = json!({ "method": "post", "endpoint": { "uri": uri }, "output": output, "redirect": login });
            if login {
                with["endpoint"]["authentication"] = json!({ "use": "door" });
            }
            insert(&mut with, "headers", headers);
            insert(&mut with, "query", query);
            insert(&mut with, "body", body.map(Value::from));
            json!({ "call": "http", "with": with })
        }),
    ]
}

/// Acts that have tasks in them.
fn outer_act(depth: u32) -> impl Strategy<Value = Value> {
    let list = prop_oneof![expression().prop_map(Value::from), Just(json!([{ "a": 1 }, { "a": "${ $secrets.key }" }]))];
    prop_oneof![
        tasks(depth).prop_map(|tasks| json!({ "do": tasks })),
        (list, maybe(expression()), tasks(depth)).prop_map(|(list, condition, mut tasks)| {
            if let Some(tasks) = tasks.as_array_mut() {
                tasks.insert(0, json!({ "item": { "set": { "a": "${ [$item, $index] }" } } }));
            }
            let mut task = json!({ "for": { "in": list }, "do": tasks });
            insert(&mut task, "while", condition.map(Value::from));
            task
        }),
        (tasks(depth), any::<bool>()).prop_map(|(branches, compete)| {
            // One branch's output alone is as large as the data.
            json!({ "fork": { "branches": branches, "compete": compete }, "output": { "as": "if type == \"array\" then .[0] else . end" } })
        }),
        (tasks(depth), catch(depth)).prop_map(|(tasks, catch)| json!({ "try": tasks, "catch": catch })),
    ]
}

fn catch(depth: u32) -> impl Strategy<Value = Value> {
    let filter =
        prop_oneof![Just(json!({ "status": 503 })), text().prop_map(|kind| json!({ "type": kind })), Just(json!({ "title": "Rain" }))];
    let conditions = (maybe(expression()), maybe(expression()));
    let handles = prop_oneof![Just(None), tasks(depth).prop_map(Some)];
    (maybe(filter), conditions, maybe(retry()), handles).prop_map(|(filter, (when, except), retry, tasks)| {
        let mut catch = json!({});
        insert(&mut catch, "errors", filter.map(|with| json!({ "with": with })));
        insert(&mut catch, "when", when.map(Value::from));
        insert(&mut catch, "exceptWhen", except.map(Value::from));
        insert(&mut catch, "retry", retry);
        let told = json!({ "caught": { "set": { "a": "${ $error }" } } });
        let all = tasks.map(|tasks| std::iter::once(told).chain(tasks.as_array().into_iter().flatten().cloned()).collect());
        insert(&mut catch, "do", all);
        catch
    })
}

fn retry() -> impl Strategy<Value = Value> {
    let backoff = prop::sample::select(vec!["constant", "linear", "exponential"]);
    let count = 0..1000_u32;
    let policy = (span(), backoff, maybe(count), maybe(span()), maybe(span())).prop_map(|(delay, backoff, count, attempt, whole)| {
        let mut limit = json!({ "attempt": {} });
        insert(&mut limit["attempt"], "count", count.map(Value::from));
        insert(&mut limit["attempt"], "duration", attempt);
        insert(&mut limit, "duration", whole);
        json!({ "delay": delay, "backoff": { (backoff): {} }, "jitter": { "from": "PT0S", "to": "PT1S" }, "limit": limit })
    });
    prop_oneof![Just(json!("patient")), Just(json!({})), policy]
}

fn extension() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["all", "set", "call", "composite", "for", "try"]);
    (kind, maybe(expression()), tasks(1), maybe(tasks(1))).prop_map(|(extend, when, before, after)| {
        let mut extension = json!({ "extend": extend, "before": before });
        insert(&mut extension, "when", when.map(Value::from));
        insert(&mut extension, "after", after);
        json!({ "around": extension })
    })
}
