//! Which bodies meet which expectations.

use super::super::difference::same;
use super::*;

fn request(body: Body) -> Request {
    let headers = vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    Request { method: "POST".to_owned(), url: "https://example.com".parse().unwrap(), headers, body: Some(body) }
}

fn is_met(expected: &Value, body: &Body) -> bool {
    let (expected, actual) = compared(expected, &request(body.clone()));
    same(&expected, &actual)
}

fn check(body: &Body, met: &[Value], unmet: &[Value]) {
    for expected in met {
        assert!(is_met(expected, body), "{expected} is not met by {}", shown(body));
    }
    for expected in unmet {
        assert!(!is_met(expected, body), "{expected} is met by {}", shown(body));
    }
}

#[test]
fn a_map_or_text_compares_with_a_form() {
    let fields = [("a", "1"), ("tag", "x y"), ("tag", "z"), ("tag", ""), ("m[k]", "v")];
    let form = Body::Form(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
    let met =
        [json!({"tag": ["x y", "z", ""], "a": 1, "m[k]": ["v"], "none": null, "empty": []}), json!("a=1&tag=x+y&tag=z&tag=&m%5Bk%5D=v")];
    let unmet =
        [json!({"a": "1", "tag": ["x y", "z"], "m[k]": "v"}), json!({"a": "1"}), json!({"a": 1, "tag": ["x y", "z", ""], "m": {"k": "v"}})];
    check(&form, &met, &unmet);
    check(
        &Body::Text("a=1&tag=x+y&tag=z".to_owned()),
        &[json!({"a": 1, "tag": ["x y", "z"]}), json!("a=1&tag=x+y&tag=z")],
        &[json!({"a": 1})],
    );
}

fn parts() -> Body {
    let part = |name: &str, filename: Option<&str>, content_type: Option<&str>, content: &[u8]| Part {
        name: name.to_owned(),
        filename: filename.map(str::to_owned),
        content_type: content_type.map(str::to_owned),
        content: content.to_vec(),
    };
    Body::Multipart(vec![
        part("title", None, None, b"7"),
        part("meta", None, Some("application/json"), b"{\"a\": 1}"),
        part("file", Some("a.csv"), Some("text/csv"), b"a,b"),
        part("file", Some("b.bin"), None, &[0xff, 0]),
    ])
}

#[test]
fn a_list_compares_with_parts_in_order_in_what_it_says_of_them() {
    let met = [
        json!([{"name": "title", "value": 7}, {"value": {"a": 1.0}}, {"filename": "a.csv", "content": "a,b"}, {"base64": "_wA"}]),
        json!([{"filename": null}, {"contentType": "application/json"}, {}, {"name": "file"}]),
    ];
    let unmet = [
        json!([{}, {}, {}]),
        json!([{}, {}, {}, {}, {}]),
        json!([{"filename": "x"}, {}, {}, {}]),
        json!([{}, {}, {"contentType": "text/plain"}, {}]),
        json!([{}, {}, {"content": "b"}, {}]),
        json!([{}, {}, {}, {"base64": "/wE="}]),
        json!([{"fileName": null}, {}, {}, {}]),
        json!(["7", {}, {}, {}]),
    ];
    check(&parts(), &met, &unmet);
}

#[test]
fn a_map_compares_with_parts_by_name() {
    let met = [
        json!({"file": [{"content": "a,b"}, {"filename": "b.bin", "base64": "/wA="}], "title": "7", "meta": {"value": {"a": 1}}}),
        json!({"file": [{}, {}], "title": [7], "meta": {}, "none": null}),
    ];
    let unmet = [
        json!({"file": [{}, {}], "title": "7"}),
        json!({"file": {}, "title": "7", "meta": {}}),
        json!({"file": [{}, {}], "title": "8", "meta": {}}),
        json!({"file": [{}, {}], "title": "7", "meta": null}),
        json!({"file": [{}, {}], "title": "7", "meta": {}, "more": ""}),
        json!({"file": [{}, {}, {}], "title": "7", "meta": {}}),
        json!("title=7"),
    ];
    check(&parts(), &met, &unmet);
}

#[test]
fn a_part_of_a_body_can_be_expected() {
    let is_included = |expected: &Value, body: &Body| {
        let (expected, actual) = included(expected, &request(body.clone()));
        same(&expected, &actual)
    };
    let fields = [("a", "1"), ("tag", "x"), ("tag", "y")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = Body::Form(fields.to_vec());
    let text = Body::Text("a=1&tag=x&tag=y".to_owned());
    for body in [&form, &text] {
        for met in [json!({"a": 1}), json!({"tag": ["x", "y"], "other": null, "more": []}), json!({})] {
            assert!(is_included(&met, body), "{met}");
        }
        for unmet in [json!({"a": 2}), json!({"tag": "x"}), json!({"tag": ["x"]}), json!({"a": null}), json!({"b": 1}), json!({"b": {}})] {
            assert!(!is_included(&unmet, body), "{unmet}");
        }
    }
    for met in [json!({"title": 7}), json!({"meta": {"value": {"a": 1}}, "none": null}), json!({"file": [{}, {"filename": "b.bin"}]})] {
        assert!(is_included(&met, &parts()), "{met}");
    }
    for unmet in [json!({"title": 8}), json!({"file": {}}), json!({"title": null}), json!({"none": {}}), json!([{"name": "title"}])] {
        assert!(!is_included(&unmet, &parts()), "{unmet}");
    }
    let nested = Body::Multipart(vec![Part {
        name: "meta".to_owned(),
        filename: None,
        content_type: None,
        content: b"{\"a\": {\"b\": 1, \"c\": 2}}".to_vec(),
    }]);
    assert!(is_included(&json!({"meta": {"value": {"a": {"b": 1}}}}), &nested));
    assert!(!is_included(&json!({"meta": {"value": {"a": {"b": 2}}}}), &nested));
    assert!(is_included(&json!({"a": {"b": 1}}), &Body::Json(json!({"a": {"b": 1, "c": 2}, "d": 3}))));
    assert!(!is_included(&json!({"a": [1]}), &Body::Json(json!({"a": [1, 2]}))));
}

#[test]
fn bytes_compare_with_base64_or_with_their_text() {
    check(&Body::Bytes(vec![0xff, 0]), &[json!({"base64": "/wA="}), json!({"base64": "_wA"})], &[json!({"base64": "/wE="}), json!("/wA=")]);
    check(&Body::Bytes(b"hi".to_vec()), &[json!("hi"), json!({"base64": "aGk="})], &[json!({"base64": "hi"}), json!({})]);
    check(&Body::Json(json!({"base64": "aGk="})), &[json!({"base64": "aGk="})], &[json!({"base64": "aGk"})]);
}
