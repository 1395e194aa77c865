//! The services a case's workflow talks to: one on loopback, whose paths begin with the host that was meant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::Value;

use super::case::fits;
use crate::support::http::{Answer, Received, Service};

/// A request that must come, and what it is answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Exchange {
    /// Method and address without its scheme: `GET shop.example.com/orders?limit=2`.
    request: String,
    /// Headers it must have; null for those it must not.
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    /// Its body as JSON.
    json: Option<Value>,
    /// Its body as fields of a form.
    form: Option<BTreeMap<String, String>>,
    /// Its body as text.
    text: Option<String>,
    #[serde(default)]
    answer: Given,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    /// Whether no answer comes at all.
    #[serde(default)]
    never: bool,
}

pub(super) struct Stub {
    service: Service,
    hosts: BTreeSet<String>,
    waiting: Arc<Mutex<Vec<Exchange>>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    pub(super) fn start(exchanges: Vec<Exchange>) -> Self {
        let host = |exchange: &Exchange| exchange.target().split(['/', '?']).next().unwrap().to_owned();
        let hosts = exchanges.iter().map(host).collect();
        let (waiting, wrong) = (Arc::new(Mutex::new(exchanges)), Arc::new(Mutex::new(Vec::new())));
        let (asked, told) = (Arc::clone(&waiting), Arc::clone(&wrong));
        let service = Service::start(move |request| {
            let mut waiting = asked.lock().unwrap();
            let Some(at) = waiting.iter().position(|exchange| exchange.is_meant(request)) else {
                told.lock().unwrap().push(format!(
                    "unexpected {} {} {:?} {}",
                    request.method,
                    request.target,
                    request.headers,
                    request.text()
                ));
                return Answer::status(599);
            };
            let exchange = waiting.remove(at);
            told.lock().unwrap().extend(exchange.differences(request));
            exchange.answer.answer()
        });
        Self { service, hosts, waiting, wrong }
    }

    /// Where the hosts are to be found.
    pub(super) fn mappings(&self) -> Vec<String> {
        self.hosts.iter().map(|host| format!("{host}={}", self.service.url(host))).collect()
    }

    /// What was not asked as it must be.
    pub(super) fn wrong(&self) -> Vec<String> {
        let missing = self.waiting.lock().unwrap().iter().map(|exchange| format!("`{}` was not requested", exchange.request)).collect();
        [std::mem::take(&mut *self.wrong.lock().unwrap()), missing].concat()
    }
}

impl Exchange {
    fn target(&self) -> &str {
        self.request.split_once(' ').unwrap().1
    }

    fn is_meant(&self, request: &Received) -> bool {
        let (method, target) = self.request.split_once(' ').unwrap();
        request.method == method && request.target.trim_start_matches('/').trim_end_matches('/') == target.trim_end_matches('/')
    }

    fn differences(&self, request: &Received) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, expected) in &self.headers {
            let got = request.header(name).map_or(Value::Null, Value::from);
            if !fits(expected, &got) {
                wrong.push(format!("`{}`: expected the header {name} {expected}, got {got}", self.request));
            }
        }
        let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        let fields: BTreeMap<String, String> = request.form().into_iter().collect();
        if self.json.as_ref().is_some_and(|json| !fits(json, &body()))
            || self.text.as_ref().is_some_and(|text| *text != request.text())
            || self.form.as_ref().is_some_and(|form| *form != fields)
        {
            wrong.push(format!("`{}` had another body: {}", self.request, request.text()));
        }
        wrong
    }
}

impl Given {
    fn answer(&self) -> Answer {
        if self.never {
            return Answer::never();
        }
        let mut answer = Answer::status(self.status.unwrap_or(200));
        answer = self.headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value));
        match (&self.json, &self.text) {
            (Some(json), _) => answer.with_json(json),
            (None, Some(text)) if self.headers.contains_key("content-type") => answer.bytes(text.as_str()),
            (None, Some(text)) => answer.text(text),
            (None, None) => answer,
        }
    }
}
