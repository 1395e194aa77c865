//! `call: request` with its policies, from a manifest through a suite into a real worker and back.

use super::{all_passed, job, run};

const ACTIONS: &str = r#"
actions:
  list:
    do:
      - list:
          call: request
          with:
            method: get
            path: /things
            paginate: { items: .content.things, cursor: { from: .content.next, query: cursor }, size: { query: limit, value: 2 }, maxPages: 3 }
            retry: { statuses: [429, 503] }
            rateLimit: { requests: 5, per: PT1S }
            errors:
              - { status: 200, when: .content.error, raise: not-found, detail: "the service says: ${ .content.error }" }
  upload:
    do:
      - upload: { call: request, with: { method: post, path: /files, bodyType: multipart, body: { file: { filename: a.txt, content: hello } } } }
  download:
    do:
      - download: { call: request, with: { method: get, path: /files/1, responseType: binary } }
  report:
    do:
      - report: { call: request, with: { method: get, path: /report, responseType: { csv: { delimiter: ";" } } } }
"#;

#[tokio::test]
async fn policies_of_requests_work_in_suites() {
    let suite = r#"
  - title: pages, one of them late
    action: list
    exchanges:
      - { request: { method: get, path: /v1/things, query: { limit: 2 } }, response: { status: 200, body: { things: [1, 2], next: a } } }
      - { request: { method: get, query: { limit: 2, cursor: a } }, response: { status: 429, headers: { Retry-After: "30" } } }
      - { request: { method: get, query: { limit: 2, cursor: a } }, response: { status: 200, body: { things: [3], next: null } } }
    expect: { output: [1, 2, 3] }
  - title: an error in a successful response
    action: list
    exchanges: [ { request: { method: get }, response: { status: 200, body: { error: gone } } } ]
    expect: { error: { name: not-found, status: 404 } }
  - title: pages that go in circles
    action: list
    exchanges:
      - { request: { method: get }, response: { status: 200, body: { things: [1], next: a } } }
      - { request: { method: get }, response: { status: 200, body: { things: [1], next: a } } }
    expect: { error: { type: "https://open-workflow-specification.org/spec/1.0.0/errors/runtime" } }
  - title: a form of parts
    action: upload
    exchanges: [ { request: { method: post, path: /v1/files, body: [ { name: file, filename: a.txt, content: hello } ] }, response: { status: 204 } } ]
    expect: { output: null }
  - title: bytes
    action: download
    exchanges: [ { request: { method: get, path: /v1/files/1 }, response: { status: 200, bytes: "/wD+" } } ]
    expect: { output: /wD+ }
  - title: rows
    action: report
    exchanges: [ { request: { method: get }, response: { status: 200, headers: { Content-Type: text/csv }, body: "a;b\n1;2\n" } } ]
    expect: { output: [ { a: "1", b: "2" } ] }
"#;
    all_passed(&run(job(ACTIONS, suite)).await, 6);
}

#[tokio::test]
async fn an_answer_has_one_body() {
    let suite = r#"
  - title: two bodies
    action: download
    exchanges: [ { request: { method: get }, response: { status: 200, bytes: "no base64!", body: x } } ]
    expect: { output: x }
"#;
    let evidence = run(job(ACTIONS, suite)).await;
    let failure = evidence.failure.unwrap();
    assert!(failure.contains("`body`") && failure.contains("`bytes`") && failure.contains("base64"), "{failure}");
}
