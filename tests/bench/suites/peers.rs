//! The same work in the words of others: requests to a server on loopback, and the same assertions on what was asked and on what came back.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::work::{Case, cases, name, trace};
use super::{CONNECTORS, Peer, ROUNDS, SLOW_ROUNDS};
use crate::http::Service;
use crate::program::find;

const TOKEN: &str = "Bearer a-token-for-tests";

/// Writes each peer's files, and tells how it is run on them.
pub fn prepare(folder: &Path, service: &Service) -> Result<Vec<Peer>> {
    let base = service.url("");
    let base = base.trim_end_matches('/');
    Ok(vec![hurl(&folder.join("hurl"), base)?, stepci(&folder.join("stepci"), base)?, tavern(&folder.join("tavern"), base)?])
}

/// One file a connector; files run in parallel, as many as there are processors.
fn hurl(folder: &Path, base: &str) -> Result<Peer> {
    let mut files = Vec::new();
    for index in 0..CONNECTORS {
        let mut text = String::new();
        for case in cases(index) {
            let Case { method, path, body, status, .. } = &case;
            let _ = write!(
                text,
                "{method} {base}{path}\nAuthorization: {TOKEN}\nX-Trace: {}\nContent-Type: application/json\n{body}\nHTTP {status}\n[Asserts]\n",
                trace(index)
            );
            for (header, value) in seen(index, &case) {
                let _ = writeln!(text, "header \"{header}\" == {value}");
            }
            for (pointer, value) in leaves(&expected(&case)) {
                let _ = writeln!(text, "jsonpath \"{pointer}\" == {value}");
            }
            text.push('\n');
        }
        files.push(write(folder, &format!("{}.hurl", name(index)), &text)?);
    }
    let command = find("hurl").map(|program| -> Box<dyn Fn() -> Command> {
        Box::new(move || {
            let mut command = Command::new(&program);
            command.args(["--test", "--jobs", "2"]).args(&files);
            command
        })
    });
    Ok(Peer { name: "hurl", aim: 2.0, rounds: ROUNDS, command })
}

/// It takes one file a run, whose tests run at once.
fn stepci(folder: &Path, base: &str) -> Result<Peer> {
    let mut tests = Map::new();
    for index in 0..CONNECTORS {
        for case in cases(index) {
            let check = json!({
                "status": case.status,
                "headers": Map::from_iter(seen(index, &case)),
                "jsonpath": Map::from_iter(leaves(&expected(&case))),
            });
            let headers = json!({ "Authorization": TOKEN, "X-Trace": trace(index) });
            let http = json!({ "url": format!("{base}{}", case.path), "method": case.method, "headers": headers, "json": case.body, "check": check });
            let title = format!("{} {}", name(index), case.title);
            tests.insert(title.clone(), json!({ "steps": [{ "name": title, "http": http }] }));
        }
    }
    let file = write(folder, "workflow.json", &json!({ "version": "1.1", "name": "orders", "tests": tests }).to_string())?;
    let command = find("stepci").map(|program| -> Box<dyn Fn() -> Command> {
        Box::new(move || {
            let mut command = Command::new(&program);
            command.arg("run").arg(&file).env("STEPCI_DISABLE_ANALYTICS", "1");
            command
        })
    });
    Ok(Peer { name: "stepci", aim: 20.0, rounds: SLOW_ROUNDS, command })
}

/// One file a connector, all in one run of pytest.
fn tavern(folder: &Path, base: &str) -> Result<Peer> {
    for index in 0..CONNECTORS {
        let mut text = String::new();
        for case in cases(index) {
            let headers = json!({ "Authorization": TOKEN, "X-Trace": trace(index) });
            let request = json!({ "url": format!("{base}{}", case.path), "method": case.method, "headers": headers, "json": case.body });
            let response = json!({ "status_code": case.status, "headers": Map::from_iter(seen(index, &case)), "json": expected(&case) });
            let stage = json!({ "name": case.title, "request": request, "response": response });
            let _ = writeln!(text, "---\n{}", json!({ "test_name": format!("{} {}", name(index), case.title), "stages": [stage] }));
        }
        write(folder, &format!("test_{}.tavern.yaml", name(index).replace('-', "_")), &text)?;
    }
    let folder = folder.to_owned();
    let command = find("tavern-pytest").map(|program| -> Box<dyn Fn() -> Command> {
        Box::new(move || {
            let mut command = Command::new(&program);
            command.current_dir(&folder).args(["-q", "-p", "no:cacheprovider"]).arg(&folder);
            command
        })
    });
    Ok(Peer { name: "tavern", aim: 20.0, rounds: SLOW_ROUNDS, command })
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(name);
    fs::write(&file, text)?;
    Ok(file)
}

/// What the service must have been asked, as its answer's headers tell.
fn seen(index: usize, case: &Case) -> Vec<(String, Value)> {
    [("x-method", case.method), ("x-path", &case.path), ("x-trace", &trace(index)), ("x-token", TOKEN)]
        .map(|(header, value)| (header.to_owned(), json!(value)))
        .into()
}

/// What the answer must be: the body that was sent is in it, too.
fn expected(case: &Case) -> Value {
    let mut expected = case.answer.clone();
    if let Some(members) = expected.as_object_mut() {
        members.insert("asked".to_owned(), case.body.clone());
    }
    expected
}

/// Every value in a document that holds no others, by its JSONPath.
fn leaves(document: &Value) -> Vec<(String, Value)> {
    fn collect(path: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| collect(&format!("{path}.{name}"), value, leaves)),
            Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| collect(&format!("{path}[{at}]"), value, leaves)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => leaves.push((path.to_owned(), value.clone())),
        }
    }
    let mut found = Vec::new();
    collect("$", document, &mut found);
    found
}
