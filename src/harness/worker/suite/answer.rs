//! The mocked answers of a suite: what they hold, how long they take, and what goes wrong with them.

use std::time::Duration;

use super::exchange::{typed, written};
use super::spot::Spot;
use crate::flow::content::from_base64;
use crate::flow::{Request, Response, Unanswered, duration};
use crate::harness::EXCHANGE_TIME;
use crate::manifest::{MockedResponse, ResponseFault, missing_file};
use crate::model::{BundleFiles, Failure};

/// How an answer comes.
pub(super) struct Coming {
    pub(super) after: Duration,
    pub(super) answer: Result<Response, Unanswered>,
}

/// How the answer that a suite describes comes. One that takes longer than a live one may never does.
pub(super) fn coming(mocked: &MockedResponse, files: &BundleFiles, request: &Request) -> Coming {
    let after = mocked.delay.as_deref().and_then(|delay| duration(delay).ok()).unwrap_or_default();
    let host = request.url.host_str().unwrap_or_default();
    if mocked.fault == Some(ResponseFault::Timeout) || after > EXCHANGE_TIME {
        let late = Unanswered::timeout(format!("`{host}` did not answer within {} s", EXCHANGE_TIME.as_secs()));
        return Coming { after: EXCHANGE_TIME, answer: Err(late) };
    }
    let answer = match mocked.fault {
        Some(ResponseFault::Reset) => Err(Unanswered::communication(format!("the exchange with `{host}` broke off: connection reset"))),
        Some(ResponseFault::Malformed) => Ok(broken_off(answer(mocked, files))),
        Some(ResponseFault::Timeout) | None => Ok(answer(mocked, files)),
    };
    Coming { after, answer }
}

/// The failure of an answer whose file is not there; `spot` is the answer.
pub(super) fn without_file(mocked: &MockedResponse, files: &BundleFiles, spot: Spot<'_>) -> Option<Failure> {
    let path = mocked.file.as_deref().filter(|path| files.get(path).is_none())?;
    let (message, hint) = missing_file(path, files);
    Some(spot.key("file").fails(format!("{message}. {hint}")))
}

/// The whole answer: bytes from base64 or of a file, text as it is, anything else as JSON.
fn answer(mocked: &MockedResponse, files: &BundleFiles) -> Response {
    let mut headers: Vec<_> = mocked.headers.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let body = match (&mocked.bytes, &mocked.file) {
        (Some(bytes), _) => {
            typed(&mut headers, "application/octet-stream");
            from_base64(bytes).unwrap_or_default()
        }
        (None, Some(path)) => {
            typed(&mut headers, type_of(path));
            files.get(path).unwrap_or_default().to_vec()
        }
        (None, None) => written(mocked.body.as_ref(), &mut headers),
    };
    Response { status: mocked.status.unwrap_or(200), headers, body }
}

/// What a file holds, by its name.
fn type_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("csv") => "text/csv; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    }
}

/// The first half of an answer's body.
fn broken_off(mut answer: Response) -> Response {
    answer.body.truncate(answer.body.len() / 2);
    // Half a number is a number too.
    if serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok() {
        answer.body.push(b'{');
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    fn of(response: Value, file: &[u8]) -> Coming {
        let mocked: MockedResponse = serde_json::from_value(response).unwrap();
        let files = ["a.json", "a.XML", "a.csv", "a.txt", "a", "a.pdf"];
        let files = files.map(|path| (path.to_owned(), file.to_vec()));
        let url = "https://api.example.com/x".parse().unwrap();
        let request = Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None };
        coming(&mocked, &BundleFiles::new(BTreeMap::from(files)), &request)
    }

    #[test]
    fn the_type_of_a_file_is_told_by_its_name() {
        for (path, kind) in [
            ("a.json", "application/json"),
            ("a.XML", "application/xml"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a.txt", "text/plain; charset=utf-8"),
            ("a", "application/octet-stream"),
            ("a.pdf", "application/octet-stream"),
        ] {
            let answer = of(json!({ "status": 200, "file": path }), b"\xff\x00").answer.unwrap();
            assert_eq!((answer.header("content-type"), answer.body.as_slice()), (Some(kind), &b"\xff\x00"[..]), "{path}");
        }
        let answer = of(json!({ "file": "a.json", "headers": { "Content-Type": "application/hal+json" } }), b"{}").answer.unwrap();
        assert_eq!(answer.headers.len(), 1);
        assert_eq!(answer.header("content-type"), Some("application/hal+json"));
    }

    #[test]
    fn what_is_broken_off_is_no_json_any_more() {
        for body in [json!({ "a": [1, 2] }), json!(1234), json!("text"), json!([]), json!(null)] {
            let bytes = body.to_string();
            let answer = of(json!({ "fault": "malformed", "file": "a.json" }), bytes.as_bytes()).answer.unwrap();
            assert!(serde_json::from_slice::<Value>(&answer.body).is_err(), "{body}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
        }
    }

    #[test]
    fn an_answer_comes_late_or_not_at_all() {
        let minute = of(json!({ "status": 200, "delay": "PT1M" }), b"");
        assert_eq!((minute.after.as_secs(), minute.answer.is_ok()), (60, true));
        for never in [json!({ "fault": "timeout" }), json!({ "status": 200, "delay": "PT1H" })] {
            let never = of(never, b"");
            assert_eq!(never.after, EXCHANGE_TIME);
            assert_eq!(never.answer.unwrap_err().reason, "`api.example.com` did not answer within 120 s");
        }
        let reset = of(json!({ "fault": "reset", "delay": "PT5S" }), b"");
        assert_eq!(reset.after.as_secs(), 5);
        assert_eq!(reset.answer.unwrap_err().reason, "the exchange with `api.example.com` broke off: connection reset");
    }
}
