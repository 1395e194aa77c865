//! Flows as people and strangers write them.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn declared() -> Declared {
    let error = NamedError { kind: "#/errors/not-found".to_owned(), status: 404, title: None, detail: None };
    Declared {
        errors: BTreeMap::from([("not-found".to_owned(), error)]),
        properties: Some(vec!["baseUrl".to_owned(), "token".to_owned()]),
        hosts: Some(vec!["api.example.com".to_owned()]),
        actions: vec!["create-issue".to_owned()],
        ..Declared::default()
    }
}

fn findings(tasks: &Value) -> Vec<(String, &'static str, String)> {
    let declared = declared();
    let mut parser = Parser::new(&declared);
    parser.tasks(tasks, &At::base("/do"), "/do");
    parser
        .findings
        .into_iter()
        .map(|finding| (finding.pointer, finding.code, format!("{} {}", finding.message, finding.hint.unwrap_or_default())))
        .collect()
}

fn only(tasks: &Value) -> (String, &'static str, String) {
    let mut found = findings(tasks);
    assert_eq!(found.len(), 1, "{tasks}: {found:?}");
    found.remove(0)
}

#[test]
fn a_good_flow_has_no_findings() {
    let tasks = json!([
        {"get": {"call": "request", "with": {"method": "get", "path": "/a/{b}", "errors": [{"status": 404, "raise": "not-found"}]}, "if": ".a == 1"}},
        {"choose": {"switch": [{"yes": {"when": "${ .ok }", "then": "done"}}, {"no": {"then": "end"}}]}},
        {"inner": {"do": [{"x": {"set": {"a": "${ $connection.token }"}, "then": "exit"}}]}},
        {"fail": {"raise": {"error": {"type": "https://example.com/e", "status": 400, "detail": "${ .why }"}}, "metadata": {"a": 1}}},
        {"done": {"set": "${ . }", "input": {"from": ".x"}, "output": {"as": {"y": "${ .z }"}}, "export": {"as": "$context + ."}}},
        {"plain": {"call": "http", "with": {"method": "GET", "endpoint": {"uri": "https://api.example.com/x?y={z}", "authentication": {"bearer": {"token": "${ .t }"}}}}}},
    ]);
    assert_eq!(findings(&tasks), []);
}

#[test]
fn what_is_not_supported_says_why() {
    for (task, code, word) in [
        (json!({"listen": {}}), codes::NEVER, "trigger"),
        (json!({"run": {}}), codes::NEVER, "request"),
        (json!({"call": "grpc"}), codes::NEVER, "grpc"),
        (json!({"call": "asyncapi"}), codes::NEVER, "asyncapi"),
        (json!({"call": "a2a"}), codes::NEVER, "a2a"),
        (json!({"call": "mcp"}), codes::NEVER, "mcp"),
        (json!({"call": "log:0.5.2@global"}), codes::UNKNOWN_FUNCTION, "catalogs"),
    ] {
        let (pointer, found, text) = only(&json!([{"t": task}]));
        assert_eq!(found, code, "{task}");
        assert!(text.contains(word) && pointer.starts_with("/do/0/t"), "{pointer} {text}");
    }
}

#[test]
fn tasks_that_steer_others_are_read_with_their_variables() {
    let tasks = json!([
        {"loop": {"for": {"each": "pet", "in": ".pets", "at": "i"}, "while": "$pet.vet != null and $i < 3", "do": [{"x": {"set": {"a": "${ $pet }"}}}]}},
        {"inline": {"for": {"in": [1, "${ .b }"]}, "do": [{"x": {"set": {"a": "${ $item + $index }"}}}]}},
        {"fork": {"fork": {"compete": true, "branches": [{"a": {"set": {}}}, {"b": {"wait": {"seconds": 1}}}]}}},
        {"try": {
            "try": [{"a": {"raise": {"error": "not-found"}}}],
            "catch": {
                "errors": {"with": {"status": 404}},
                "as": "err",
                "when": "$err.status == 404",
                "retry": {"delay": "PT1S", "backoff": {"linear": {}}, "limit": {"attempt": {"count": 2}}, "jitter": {"from": {}, "to": {"seconds": 1}}},
                "do": [{"x": {"set": {"e": "${ $err }"}}}],
                "then": "end",
            },
        }},
        {"one": {"try": {"set": {}}, "catch": {}}},
        {"wait": {"wait": "${ .time }", "timeout": {"after": {"minutes": 1}}}},
        {"own": {"call": "create-issue", "with": {"title": "x"}}},
    ]);
    let found = findings(&tasks);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "/do/3/try/catch/retry/jitter/from");
}

#[test]
fn variables_end_with_what_gives_them() {
    for (task, pointer) in [
        (json!([{"t": {"for": {"in": "."}, "do": [{"x": {"set": {}}}], "output": {"as": "$item"}}}]), "/do/0/t/output/as"),
        (json!([{"t": {"try": [{"x": {"set": {"a": "${ $error }"}}}], "catch": {}}}]), "/do/0/t/try/0/x/set/a"),
        (json!([{"t": {"for": {"each": "a-b", "in": "."}, "do": [{"x": {"set": {}}}]}}]), "/do/0/t/for/each"),
        (json!([{"t": {"set": {"a": "${ $secrets.x }"}}}]), "/do/0/t/set/a"),
    ] {
        assert_eq!(only(&task).0, pointer, "{task}");
    }
}

#[test]
fn mistakes_are_found_where_they_are() {
    for (tasks, pointer, code, word) in [
        (json!([{"t": {"sett": {}}}]), "/do/0/t/sett", codes::UNKNOWN_KEY, "Did you mean `set`?"),
        (json!([{"t": {"set": {}, "iff": "."}}]), "/do/0/t/iff", codes::UNKNOWN_KEY, "`if`"),
        (json!([{"t": {"set": {}, "then": "uu"}}, {"u": {"set": {}}}]), "/do/0/t/then", codes::TARGET, "`uu`"),
        (json!([{"t": {"set": {}}}, {"t": {"set": {}}}]), "/do/1/t", codes::DUPLICATE_TASK, "`t`"),
        (json!([{"t": {"set": {"a": ["${ .a | }"]}}}]), "/do/0/t/set/a/0", codes::EXPRESSION_SYNTAX, "ends"),
        (json!([{"t": {"set": {"a": "${ .a "}}}]), "/do/0/t/set/a", codes::EXPRESSION_SYNTAX, "no `}`"),
        (json!([{"t": {"set": {"a": "${ $connection.tokn }"}}}]), "/do/0/t/set/a", codes::UNKNOWN_PROPERTY, "`token`"),
        (json!([{"t": {"raise": {"error": "not-fond"}}}]), "/do/0/t/raise/error", codes::UNKNOWN_ERROR, "`not-found`"),
        (json!([{"t": {"call": "reqest", "with": {}}}]), "/do/0/t/call", codes::UNKNOWN_FUNCTION, "`request`"),
        (json!([{"t": {"call": "request"}}]), "/do/0/t", codes::MISSING_KEY, "`with`"),
        (json!([{"t": {"call": "request", "with": {"method": "gte", "path": "/"}}}]), "/do/0/t/with/method", codes::VALUE, "`get`"),
        (json!([{"t": {"call": "request", "with": {"method": "get", "path": "/{"}}}]), "/do/0/t/with/path", codes::VALUE, "`}`"),
        (
            json!([{"t": {"call": "http", "with": {"method": "get", "endpoint": "https://evil.example/"}}}]),
            "/do/0/t/with/endpoint",
            codes::HOST,
            "evil.example",
        ),
        (json!([{"t": {"emit": {"event": {"with": {"type": "x"}}}}}]), "/do/0/t/emit", codes::EMIT, "trigger"),
        (json!([{"t": {"set": {}, "do": []}}]), "/do/0/t", codes::SHAPE, "one thing"),
        (json!([{"t": {"set": 1}}]), "/do/0/t/set", codes::VALUE, "a number"),
        (json!([{"t": "x"}]), "/do/0/t", codes::SHAPE, "a map"),
        (json!([{"t": {"set": {}}, "u": {}}]), "/do/0", codes::SHAPE, "here are 2"),
        (json!([]), "/do", codes::SHAPE, "no task"),
        (json!({"a": 1}), "/do", codes::SHAPE, "a list"),
        (json!([{"t": {"if": "."}}]), "/do/0/t", codes::MISSING_KEY, "does nothing"),
        (json!([{"t": {"switch": [{"a": {"then": "end"}}, {"b": {"then": "end"}}]}}]), "/do/0/t/switch/1/b", codes::SHAPE, "only one"),
        (json!([{"a/b~c": {"set": {}, "then": 1}}]), "/do/0/a~1b~0c/then", codes::VALUE, "text"),
    ] {
        let (found_pointer, found, text) = only(&tasks);
        assert_eq!((found_pointer.as_str(), found), (pointer, code), "{tasks}: {text}");
        assert!(text.contains(word), "{tasks}: {text}");
    }
}

/// What is found in one `call: request`, by pointers from its `with`.
fn in_request(with: &Value) -> Vec<(String, &'static str, String)> {
    let mut whole = json!({"method": "get", "path": "/"});
    whole.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    let found = findings(&json!([{"t": {"call": "request", "with": whole}}]));
    found.into_iter().map(|(pointer, code, text)| (pointer.replacen("/do/0/t/with", "", 1), code, text)).collect()
}

#[test]
fn a_good_request_has_no_findings() {
    let good = json!({
        "body": {"a": 1}, "bodyType": "form", "responseType": {"csv": {"delimiter": ";", "header": false}}, "output": "response",
        "paginate": {
            "cursor": {"from": "${ .headers[\"x-next\"] // .content.headers.Next }", "query": "c"}, "size": {"header": "X-Size", "value": 50},
            "items": ".content.items", "more": "${ .content.more }", "maxPages": "${ .pages }", "maxItems": 5, "truncate": true,
        },
        "retry": {
            "delay": "PT1S", "backoff": {"linear": {}}, "jitter": {"from": {"seconds": 0}, "to": {"seconds": 1}}, "maxWait": {"minutes": 5},
            "limit": {"attempt": {"count": 5, "duration": "PT10S"}, "duration": "PT5M"}, "statuses": [429, "5xx"], "when": ".statusCode != 501",
            "nonIdempotent": true,
        },
        "rateLimit": {"requests": 5, "per": {"seconds": 1}, "bucket": "search"},
        "errors": [
            {"status": [404, "5xx"], "raise": "not-found"}, {"when": ".content.error", "raise": "not-found", "detail": "${ .content.error }!"},
            {"status": 200, "headers": {"X-Error": true, "X-Code": 7}, "raise": "not-found"},
        ],
    });
    assert_eq!(in_request(&good), []);
    for paginate in [
        json!({"offset": {"query": "o", "start": 1}, "maxPages": 1}),
        json!({"page": {"body": "page.number"}, "maxItems": 1}),
        json!({"link": "next", "maxPages": 1}),
        json!({"next": ".content.next", "maxPages": 1}),
    ] {
        assert_eq!(in_request(&json!({ "paginate": paginate })), []);
    }
    assert_eq!(in_request(&json!({"retry": false, "rateLimit": false, "responseType": "xml"})), []);
}

#[test]
fn mistakes_in_requests_are_found_where_they_are() {
    let paginate = |paginate: Value| json!({ "paginate": paginate });
    let errors = |entry: Value| json!({ "errors": [entry] });
    let page = json!({"query": "p"});
    for (with, pointer, code, word) in [
        (json!({"bodyTyp": "form"}), "/bodyTyp", codes::UNKNOWN_KEY, "`bodyType`"),
        (json!({"bodyType": "from"}), "/bodyType", codes::VALUE, "`form`"),
        (json!({"responseType": "cvs"}), "/responseType", codes::VALUE, "`csv`"),
        (json!({"responseType": {"csv": {"delimeter": ";"}}}), "/responseType/csv/delimeter", codes::UNKNOWN_KEY, "`delimiter`"),
        (json!({"responseType": {"csv": {"delimiter": ";;"}}}), "/responseType/csv", codes::VALUE, "one ASCII"),
        (json!({"responseType": {}}), "/responseType", codes::MISSING_KEY, "`xml`"),
        (json!({"responseType": {"xml": {"lists": "item"}}}), "/responseType/xml/lists", codes::SHAPE, "a list"),
        (paginate(json!({"page": page})), "/paginate", codes::UNBOUNDED, "`maxPages`"),
        (paginate(json!({"maxPages": 1})), "/paginate", codes::MISSING_KEY, "`cursor`"),
        (paginate(json!({"page": page, "link": "next", "maxPages": 1})), "/paginate", codes::MISSING_KEY, "exactly one"),
        (paginate(json!({"page": {}, "maxPages": 1})), "/paginate/page", codes::MISSING_KEY, "the place"),
        (paginate(json!({"page": page, "maxPages": 0})), "/paginate/maxPages", codes::VALUE, "from 1"),
        (paginate(json!({"page": page, "maxPages": 1_000_000})), "/paginate/maxPages", codes::VALUE, "10000"),
        (paginate(json!({"page": page, "maxPage": 1, "maxItems": 1})), "/paginate/maxPage", codes::UNKNOWN_KEY, "`maxPages`"),
        (paginate(json!({"cursor": {"query": "c"}, "maxPages": 1})), "/paginate/cursor", codes::MISSING_KEY, "`from`"),
        (paginate(json!({"cursor": {"from": ".a |", "query": "c"}, "maxPages": 1})), "/paginate/cursor/from", codes::EXPRESSION_SYNTAX, ""),
        (paginate(json!({"page": {"body": "a..b"}, "maxPages": 1})), "/paginate/page/body", codes::VALUE, "no name"),
        (paginate(json!({"next": ".headers.Next", "maxPages": 1})), "/paginate/next", codes::VALUE, "`next`"),
        (paginate(json!({"next": ".headers[\"X-Next\"]", "maxPages": 1})), "/paginate/next", codes::VALUE, "`x-next`"),
        (json!({"paginate": {"page": page, "maxPages": 1}, "output": "raw"}), "/output", codes::VALUE, "`raw`"),
        (json!({"retry": {"statues": [429]}}), "/retry/statues", codes::UNKNOWN_KEY, "`statuses`"),
        (json!({"retry": {"statuses": [99]}}), "/retry/statuses", codes::VALUE, "200 to 599"),
        (json!({"retry": {"statuses": [200]}}), "/retry/statuses", codes::VALUE, "`when`"),
        (json!({"retry": {"maxWait": "1m"}}), "/retry/maxWait", codes::VALUE, "ISO 8601"),
        (json!({"retry": {"limit": {"attempt": {"count": 100_000}}}}), "/retry/limit/attempt/count", codes::VALUE, "1000"),
        (json!({"rateLimit": {"requests": 0, "per": "PT1S"}}), "/rateLimit/requests", codes::VALUE, "from 1"),
        (json!({"rateLimit": {"requests": 1, "per": "PT0S"}}), "/rateLimit/per", codes::DURATION, "a day"),
        (json!({"rateLimit": {"requests": 1}}), "/rateLimit", codes::MISSING_KEY, "`per`"),
        (errors(json!({"raise": "not-found"})), "/errors/0", codes::MISSING_KEY, "`when`"),
        (errors(json!({"status": 200, "raise": "not-found"})), "/errors/0/status", codes::VALUE, "`when`"),
        (errors(json!({"status": "4x", "raise": "not-found"})), "/errors/0/status", codes::VALUE, "`4xx`"),
        (errors(json!({"status": 404, "raise": "not-fond"})), "/errors/0/raise", codes::UNKNOWN_ERROR, "`not-found`"),
        (errors(json!({"status": 404, "raise": "not-found", "headers": {"X": []}})), "/errors/0/headers/X", codes::VALUE, "a list"),
        (errors(json!({"status": 404, "raise": "not-found", "details": "x"})), "/errors/0/details", codes::UNKNOWN_KEY, "`detail`"),
    ] {
        let found = in_request(&with);
        let [(found_pointer, found_code, text)] = found.as_slice() else { panic!("{with}: {found:?}") };
        assert_eq!((found_pointer.as_str(), *found_code), (pointer, code), "{with}: {text}");
        assert!(text.contains(word), "{with}: {text}");
    }
}

#[test]
fn text_around_an_expression_makes_it_text() {
    let nothing = Declared::default();
    let mut parser = Parser::new(&nothing);
    let at = At::base("");
    let mut form = |text: &str| format!("{:?}", parser.template(&json!(text), &at));
    assert!(form("${ .a }").starts_with("Expression"));
    assert!(form(" ${ {a: 1} }\n").starts_with("Expression"));
    assert!(form("a ${ \"}\" } b").starts_with("Text"));
    assert!(form("${ .a }${ .b }").starts_with("Text"));
    assert!(form("$ {a} .b").starts_with("Literal"));
    assert!(parser.findings.is_empty());
}
