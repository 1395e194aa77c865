//! `call: request`: HTTP against the manifest's connection, with bodies of every kind and policies that the standard lacks.

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::content::{BodyForm, CsvOptions, ResponseForm, XmlOptions};
use crate::flow::expression::Expression;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Http, HttpOutput, Policies};
use crate::flow::template::{Template, steps};
use crate::flow::uri::{self, Address};

const WHAT: &str = "`call: request`";
pub(super) const KEYS: [&str; 13] = [
    "method",
    "path",
    "headers",
    "query",
    "body",
    "bodyType",
    "responseType",
    "output",
    "redirect",
    "paginate",
    "retry",
    "rateLimit",
    "errors",
];
const RESPONSES: [&str; 6] = ["auto", "json", "text", "xml", "csv", "binary"];

impl Parser<'_> {
    pub(super) fn request(&mut self, with: &Map<String, Value>, at: &At<'_>) -> Option<Http> {
        self.keys_beside(with, at, WHAT, &KEYS, of_http);
        if self.declared.properties.is_none() {
            let finding = Finding::new(at, codes::VALUE, "`call: request` needs the manifest's `connection`");
            self.found(finding.hint("Use `call: http` with an `endpoint`."));
        }
        let path = self.required(with, "path", at, WHAT).map(|value| self.path(value, &at.key("path")));
        let sends = with.get("bodyType").map_or(Some(BodyForm::Auto), |value| self.body_form(value, &at.key("bodyType")));
        let reads =
            with.get("responseType").map_or(Some(ResponseForm::Announced), |value| self.response_form(value, &at.key("responseType")));
        let policies = self.policies(with, at);
        let rest = self.exchange(with, at, WHAT)?;
        if policies.paging.is_some() && rest.output == HttpOutput::Raw {
            let finding = Finding::new(&at.key("output"), codes::VALUE, "pages have no `raw` output");
            self.found(finding.hint("`content` gives the items of all pages, `response` what was last answered besides."));
        }
        Some(Http { address: path??, connection: true, sends: sends?, reads: reads?, policies, ..rest })
    }

    /// A path whose variables must have values: without one, `/items/{id}` would be the whole collection.
    fn path(&mut self, value: &Value, at: &At<'_>) -> Option<Address> {
        Some(match self.address(value, at, "`path`")? {
            Address::Pattern(parts) => Address::Pattern(uri::required(parts)),
            Address::Given(Template::Text(pieces)) => Address::Given(Template::Text(steps(pieces))),
            given @ Address::Given(_) => given,
        })
    }

    fn policies(&mut self, with: &Map<String, Value>, at: &At<'_>) -> Policies {
        let errors = with.get("errors").map(|value| self.mappings(value, &at.key("errors"))).unwrap_or_default();
        let paging = with.get("paginate").and_then(|value| self.paging(value, &at.key("paginate"))).map(Box::new);
        let again = self.choice(with.get("retry"), &at.key("retry"), Self::again);
        let rate = self.choice(with.get("rateLimit"), &at.key("rateLimit"), Self::rate);
        Policies { errors, paging, again, rate }
    }

    fn body_form(&mut self, value: &Value, at: &At<'_>) -> Option<BodyForm> {
        let text = self.text(value, at, "`bodyType`")?;
        let known = [
            ("auto", BodyForm::Auto),
            ("json", BodyForm::Json),
            ("form", BodyForm::Form),
            ("multipart", BodyForm::Multipart),
            ("text", BodyForm::Text),
            ("binary", BodyForm::Binary),
        ];
        self.one_of(text, at, "`bodyType`", &known.map(|(name, _)| name));
        known.into_iter().find(|(name, _)| *name == text).map(|(_, form)| form)
    }

    /// What a response is read as: its name, or a map of one name with its options.
    fn response_form(&mut self, value: &Value, at: &At<'_>) -> Option<ResponseForm> {
        match value {
            Value::String(text) => {
                self.one_of(text, at, "`responseType`", &RESPONSES);
                match text.as_str() {
                    "auto" => Some(ResponseForm::Announced),
                    "json" => Some(ResponseForm::Json),
                    "text" => Some(ResponseForm::Text),
                    "xml" => Some(ResponseForm::Xml(XmlOptions::default())),
                    "csv" => Some(ResponseForm::Csv(CsvOptions::default())),
                    "binary" => Some(ResponseForm::Binary),
                    _ => None,
                }
            }
            Value::Object(map) => {
                self.keys(map, at, "`responseType`", &["xml", "csv"]);
                match (map.get("xml"), map.get("csv")) {
                    (Some(xml), None) => self.xml(xml, &at.key("xml")),
                    (None, Some(csv)) => self.csv(csv, &at.key("csv")),
                    (None, None) | (Some(_), Some(_)) => {
                        self.found(Finding::new(at, codes::MISSING_KEY, "`responseType` needs exactly one of `xml` and `csv`"));
                        None
                    }
                }
            }
            other => {
                let message = format!("`responseType` is a name or a map of a name with its options, not {}", kind_of(other));
                self.found(Finding::new(at, codes::VALUE, message));
                None
            }
        }
    }

    fn xml(&mut self, value: &Value, at: &At<'_>) -> Option<ResponseForm> {
        let map = self.map(value, at, "`xml`")?;
        self.keys(map, at, "`xml`", &["lists"]);
        let lists = map.get("lists").map_or(Some(&[][..]), |value| self.list(value, &at.key("lists"), "`lists`"))?;
        let at = at.key("lists");
        let names = lists.iter().enumerate().filter_map(|(index, name)| self.text(name, &at.index(index), "the name of an element"));
        Some(ResponseForm::Xml(XmlOptions { lists: names.map(str::to_owned).collect() }))
    }

    fn csv(&mut self, value: &Value, at: &At<'_>) -> Option<ResponseForm> {
        let map = self.map(value, at, "`csv`")?;
        self.keys(map, at, "`csv`", &["delimiter", "quote", "header"]);
        let mut text = |key: &str, usual: &'static str| match map.get(key) {
            None => Some(usual.to_owned()),
            Some(value) => self.text(value, &at.key(key), &format!("`{key}`")).map(str::to_owned),
        };
        let (delimiter, quote) = (text("delimiter", ",")?, text("quote", "\"")?);
        let header = map.get("header").map_or(Some(true), |value| self.truth(value, &at.key("header"), "`header`"))?;
        match CsvOptions::new(&delimiter, &quote, header) {
            Ok(options) => Some(ResponseForm::Csv(options)),
            Err(message) => {
                self.found(Finding::new(at, codes::VALUE, message));
                None
            }
        }
    }

    /// An expression over `{ statusCode, headers, content }`.
    pub(super) fn over_response(&mut self, value: &Value, at: &At<'_>, what: &str) -> Option<Expression> {
        self.headers_named(value, at);
        self.condition(value, at, what)
    }

    /// Finds names of headers that no response has: in `headers` they are in lower case.
    pub(super) fn headers_named(&mut self, value: &Value, at: &At<'_>) {
        let text = value.as_str().unwrap_or_default();
        for (start, found) in text.match_indices(".headers") {
            let is_inner = text[..start].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ']' | '"' | '?'));
            let name = named(&text[start + found.len()..]);
            if !is_inner && name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                let message = format!("no header is named `{name}`: names of headers are in lower case here");
                self.found(Finding::new(at, codes::VALUE, message).hint(format!("Write `{}`.", name.to_ascii_lowercase())));
            }
        }
    }
}

/// What is said of a key of `call: http`.
fn of_http(key: &str) -> Option<String> {
    match key {
        "endpoint" | "uri" | "url" => {
            Some(format!("`{key}` belongs to `call: http`; `call: request` has `path`, below the connection's `baseUrl`."))
        }
        "authentication" => Some("The connection's `authentication` is used.".to_owned()),
        _ => None,
    }
}

/// The key that a path goes on with: `.name`, `."name"` or `["name"]`.
fn named(rest: &str) -> &str {
    let rest = rest.trim_start_matches(['.', '[', '?', ' ']);
    let (rest, quoted) = rest.strip_prefix('"').map_or((rest, false), |rest| (rest, true));
    let is_end = |c: char| if quoted { c == '"' } else { !c.is_alphanumeric() && c != '_' };
    &rest[..rest.find(is_end).unwrap_or(rest.len())]
}
