//! `paginate`: every way from page to page, and where it ends.

use super::request::{answering, call, call_with, json_of, with};
use super::*;

/// The items or the title of the fault, and the addresses asked.
fn pages(answers: Vec<Response>, paginate: &str) -> (Result<Value, String>, Vec<String>) {
    let (result, sent) = call(answers, &format!("method: get, path: /x, paginate: {{ {paginate} }}"));
    let urls = sent.iter().map(|request| request.url[url::Position::BeforePath..].replacen("/v1/x", "", 1));
    (result.map_err(|fault| fault.title.unwrap_or_default()), urls.collect())
}

fn page(items: &[i32], next: &Value) -> Response {
    json_of(&json!({ "items": items, "next": next }))
}

const CURSOR: &str = "items: .content.items, cursor: { from: .content.next, query: after }";

#[test]
fn cursors_lead_from_page_to_page() {
    let answers = || vec![page(&[1, 2], &json!("a b")), page(&[], &json!(7)), page(&[3], &json!(""))];
    let (items, urls) = pages(answers(), &format!("{CURSOR}, maxPages: 3"));
    assert_eq!(items, Ok(json!([1, 2, 3])));
    assert_eq!(urls, ["", "?after=a+b", "?after=7"]);
    for end in [json!(null), json!(false), json!("")] {
        assert_eq!(pages(vec![page(&[1], &end)], &format!("{CURSOR}, maxItems: 9")).0, Ok(json!([1])));
    }
    let more = format!("{CURSOR}, more: '.content.items | length > 1', maxPages: 9");
    assert_eq!(pages(answers(), &more).1.len(), 2);
}

#[test]
fn cursors_go_where_they_belong() {
    let answers = || vec![page(&[1], &json!("c")), page(&[2], &json!(null))];
    let header = "method: get, path: /x, headers: { x-after: begin }, paginate: { items: .content.items, cursor: { from: .content.next, header: X-After }, maxPages: 5 }";
    let (_, sent) = call(answers(), header);
    assert_eq!((sent[0].header("x-after"), sent[1].header("x-after"), sent[1].headers.len()), (Some("begin"), Some("c"), 2));
    let body = "method: post, path: /x, body: { query: q }, paginate: { items: .content.items, cursor: { from: .content.next, body: variables.after }, size: { body: variables.first, value: 50 }, maxPages: 5 }";
    let (result, sent) = call(answers(), body);
    assert_eq!(result, Ok(json!([1, 2])));
    assert_eq!(sent[0].body, Some(Body::Json(json!({"query": "q", "variables": {"first": 50}}))));
    assert_eq!(sent[1].body, Some(Body::Json(json!({"query": "q", "variables": {"first": 50, "after": "c"}}))));
    let text =
        "method: post, path: /x, body: text, paginate: { items: .content.items, cursor: { from: .content.next, body: a }, maxPages: 5 }";
    assert!(call(answers(), text).0.unwrap_err().detail.unwrap().contains("no map"));
    let by_header = "method: get, path: /x, paginate: { cursor: { from: '.headers[\"x-next\"]', query: c }, maxPages: 5 }";
    let (result, sent) = call(vec![with(json_of(&json!([1])), &[("X-Next", "n")]), json_of(&json!([2]))], by_header);
    assert_eq!((result, sent[1].url.query()), (Ok(json!([1, 2])), Some("c=n")));
}

#[test]
fn pages_are_counted_until_one_is_empty() {
    let answers = || vec![json_of(&json!([1, 2])), json_of(&json!([3])), json_of(&json!([]))];
    let (items, urls) = pages(answers(), "page: { query: page }, size: { query: per, value: '${ 1 + 1 }' }, maxPages: 9");
    assert_eq!(items, Ok(json!([1, 2, 3])));
    assert_eq!(urls, ["?per=2&page=1", "?per=2&page=2", "?per=2&page=3"]);
    assert_eq!(pages(answers(), "offset: { query: skip }, maxItems: 3").1, ["?skip=0", "?skip=2", "?skip=3"]);
    assert_eq!(pages(answers(), "offset: { query: skip, start: 5 }, more: '.content | length > 1', maxPages: 9").1, ["?skip=5", "?skip=7"]);
    let (_, sent) = call(answers(), "method: get, path: '/x?page=9&a=1', paginate: { page: { query: page, start: 0 }, maxPages: 9 }");
    assert_eq!(sent[1].url.query(), Some("a=1&page=1"));
}

#[test]
fn links_and_addresses_are_followed_with_the_same_request() {
    let linked = |next: &str| with(json_of(&json!([1])), &[("Link", &format!("<{next}>; rel=\"next\""))]);
    let (items, urls) =
        pages(vec![linked("https://api.example.com/v1/x?page=2"), linked("/y?z"), json_of(&json!([2]))], "link: next, maxPages: 9");
    assert_eq!((items, urls), (Ok(json!([1, 1, 2])), vec![String::new(), "?page=2".to_owned(), "/y?z".to_owned()]));
    let next =
        "method: get, path: /x, query: { q: 1 }, headers: { X: y }, paginate: { items: .content.items, next: .content.next, maxPages: 9 }";
    let (result, sent) = call(vec![page(&[1], &json!("?q=1&p=2")), page(&[2], &json!(null))], next);
    assert_eq!((result, sent[1].url.as_str()), (Ok(json!([1, 2])), "https://api.example.com/v1/x?q=1&p=2"));
    assert_eq!((sent[1].header("x"), sent[1].header("authorization"), sent[1].headers.len()), (Some("y"), Some("Bearer t0ps3cret"), 2));
    let (result, sent) = call(vec![page(&[1], &json!("https://other.example.com/")), page(&[2], &json!(null))], next);
    assert_eq!((result, sent[1].header("authorization")), (Ok(json!([1, 2])), None));
    let title = |to: &str| call(vec![page(&[1], &json!(to))], next).0.unwrap_err().title.unwrap();
    assert_eq!(title("https://evil.example/"), "Host not allowed");
    assert_eq!(title("http://api.example.com/"), "Address refused");
    assert_eq!(title("file:///etc/passwd"), "Not an address");
    assert_eq!(title("https://["), "Not an address");
}

#[test]
fn a_list_that_goes_in_circles_is_an_error() {
    let endless = || Err("Endless pages".to_owned());
    let (result, urls) =
        pages(vec![page(&[1], &json!("a")), page(&[2], &json!("b")), page(&[3], &json!("a"))], &format!("{CURSOR}, maxPages: 99"));
    assert_eq!((result, urls.len()), (endless(), 3));
    let linked = || with(json_of(&json!([1])), &[("Link", "<x>; rel=next")]);
    assert_eq!(pages(vec![linked()], "link: next, maxPages: 99, truncate: true").0, endless());
    let same = || json_of(&json!([1]));
    let (result, urls) = pages(vec![same(), same(), same()], "page: { query: page }, maxPages: 99, truncate: true");
    assert_eq!((result, urls.len()), (endless(), 2));
}

#[test]
fn a_list_that_is_too_long_is_an_error_or_cut_off() {
    let answers = || vec![page(&[1, 2], &json!("a")), page(&[3, 4], &json!("b")), page(&[5], &json!(null))];
    let run = |bound: &str| {
        let (result, urls) = pages(answers(), &format!("{CURSOR}, {bound}"));
        (result, urls.len())
    };
    assert_eq!(run("maxPages: 3, maxItems: 5"), (Ok(json!([1, 2, 3, 4, 5])), 3));
    assert_eq!(run("maxPages: 2"), (Err("Too many pages".to_owned()), 2));
    assert_eq!(run("maxPages: 2, truncate: true"), (Ok(json!([1, 2, 3, 4])), 2));
    assert_eq!(run("maxItems: 4"), (Err("Too many items".to_owned()), 3));
    assert_eq!(run("maxItems: 4, truncate: true"), (Ok(json!([1, 2, 3, 4])), 2));
    assert_eq!(run("maxItems: 3, truncate: true"), (Ok(json!([1, 2, 3])), 2));
    assert_eq!(run("maxItems: '${ 2 + 3 }'").1, 3);
    assert_eq!(run("maxItems: '${ -1 }'"), (Err("Expression failed".to_owned()), 0));
    // Without a bound that ends it before, the turns of the flow do.
    let cursor = "method: get, path: /x, paginate: { cursor: { from: .content.n, query: c }, items: '[1]', maxItems: 1000000 }";
    let world = answering((0..10_050).map(|n| json_of(&json!({ "n": n }))).collect());
    let fault = call_with(&world, "", cursor, &json!({})).result.unwrap_err();
    assert!(matches!(fault.title.as_deref(), Some("Too many pages" | "Out of turns")), "{fault:?}");
}

#[test]
fn pages_must_be_lists_and_of_bounded_size() {
    let detail = |answers: Vec<Response>, rest: &str| {
        call(answers, &format!("method: get, path: /x, paginate: {{ page: {{ query: p }}, maxPages: 99, {rest} }}"))
            .0
            .unwrap_err()
            .detail
            .unwrap()
    };
    assert!(detail(vec![json_of(&json!({"a": []}))], "").contains("is no list"));
    assert!(detail(vec![json_of(&json!({"a": []}))], "items: .content.b").contains("gives no list"));
    let big = |n: usize| json_of(&json!([n, "x".repeat(9 << 20)]));
    assert!(detail(vec![big(1), big(2)], "").contains("bigger than"));
}

#[test]
fn the_whole_answer_tells_of_the_pages() {
    let call_of = |rest: &str| format!("method: get, path: /x, output: response, paginate: {{ {CURSOR}, {rest} }}");
    let answers = || vec![page(&[1], &json!("a")), with(page(&[2], &json!(null)), &[("X-Left", "9")])];
    let output = call(answers(), &call_of("maxPages: 9")).0.unwrap();
    assert_eq!((&output["content"], &output["pages"], &output["truncated"]), (&json!([1, 2]), &json!(2), &json!(false)));
    assert_eq!((&output["headers"]["X-Left"], &output["request"]["uri"]), (&json!("9"), &json!("https://api.example.com/v1/x?after=a")));
    let output = call(answers(), &call_of("maxPages: 1, truncate: true")).0.unwrap();
    assert_eq!((&output["content"], &output["pages"], &output["truncated"]), (&json!([1]), &json!(1), &json!(true)));
}

#[test]
fn each_page_is_asked_again_and_judged_by_itself() {
    let rest = "retry: {}, errors: [ { when: .content.error, raise: refused } ]";
    let paginate = format!("method: get, path: /x, paginate: {{ {CURSOR}, maxPages: 9 }}, {rest}");
    let busy = || answer(503, "text/plain", "");
    let (result, sent) = call(vec![busy(), page(&[1], &json!("a")), busy(), page(&[2], &json!(null))], &paginate);
    assert_eq!((result, sent.len()), (Ok(json!([1, 2])), 4));
    let (result, _) = call(vec![page(&[1], &json!("a")), json_of(&json!({"error": true}))], &paginate);
    assert_eq!(result.unwrap_err().name.as_deref(), Some("refused"));
}
