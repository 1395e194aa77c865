//! `call: http` and `call: openapi`, and the refusal of every other call.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::content::{BodyForm, ResponseForm};
use crate::flow::exchange;
use crate::flow::finding::{At, Finding};
use crate::flow::hosts;
use crate::flow::methods;
use crate::flow::model::{Act, Authentication, Http, HttpOutput, OpenApi, Policies};
use crate::flow::template::Template;
use crate::flow::uri::{self, Address};

impl Parser<'_> {
    pub(super) fn call(&mut self, task: &Map<String, Value>, function: &Value, task_at: &At<'_>) -> Option<Act> {
        let at = &task_at.key("call");
        let function = self.text(function, at, "`call`")?;
        match function {
            "http" | "request" | "openapi" => {}
            "grpc" | "asyncapi" | "a2a" | "mcp" => {
                let message = format!("`call: {function}` is not supported: a connector talks HTTP and nothing else");
                self.found(Finding::new(at, codes::NEVER, message).hint("Use `call: request` or `call: http`."));
                return None;
            }
            name => return self.named_call(name, task, at, task_at),
        }
        let with = self.required(task, "with", task_at, &format!("`call: {function}`"))?;
        let at = task_at.key("with");
        let with = self.map(with, &at, "`with`")?;
        match function {
            "openapi" => self.openapi(with, &at).map(|call| Act::OpenApi(Box::new(call))),
            "http" => self.http(with, &at).map(|http| Act::Http(Box::new(http))),
            _ => self.request(with, &at).map(|http| Act::Http(Box::new(http))),
        }
    }

    /// A call of one of the connector's actions, or of the document's functions.
    fn named_call(&mut self, name: &str, task: &Map<String, Value>, at: &At<'_>, task_at: &At<'_>) -> Option<Act> {
        let declared = self.declared;
        let with = task.get("with").map(|with| self.template(with, &task_at.key("with")));
        if declared.functions.iter().any(|function| function == name) {
            return Some(Act::Function { name: name.to_owned(), with });
        }
        if declared.actions.iter().any(|action| action == name) {
            return Some(Act::Action { name: name.to_owned(), with });
        }
        let known = declared.actions.iter().chain(&declared.functions).map(String::as_str).chain(["http", "openapi", "request"]);
        let finding = Finding::new(at, codes::UNKNOWN_FUNCTION, format!("no function `{}` to call", excerpt(name)));
        self.found(if name.contains(['@', '/']) {
            finding.hint("Functions of catalogs and addresses are not supported; write the function under `use.functions`.")
        } else {
            finding.did_you_mean(name, known)
        });
        None
    }

    fn openapi(&mut self, with: &Map<String, Value>, at: &At<'_>) -> Option<OpenApi> {
        let what = "`call: openapi`";
        self.keys(with, at, what, &["document", "operationId", "parameters", "authentication", "output", "redirect"]);
        let document = self.required(with, "document", at, what).and_then(|value| self.resource(value, &at.key("document")));
        let operation = self.required(with, "operationId", at, what);
        let operation = operation.and_then(|value| self.text(value, &at.key("operationId"), "`operationId`"));
        let parameters = with.get("parameters").map(|value| self.entries(value, &at.key("parameters"), "`parameters`"));
        let authentication = with.get("authentication").and_then(|value| self.authentication(value, &at.key("authentication")));
        let output = with.get("output").map_or(Some(HttpOutput::Content), |value| self.http_output(value, &at.key("output")));
        let redirect = with.get("redirect").map_or(Some(false), |value| self.truth(value, &at.key("redirect"), "`redirect`"));
        Some(OpenApi {
            document: document?,
            operation: operation?.to_owned(),
            parameters,
            authentication,
            output: output?,
            redirect: redirect?,
        })
    }

    fn http(&mut self, with: &Map<String, Value>, at: &At<'_>) -> Option<Http> {
        let known = ["method", "endpoint", "headers", "query", "body", "output", "redirect"];
        self.keys_beside(with, at, "`call: http`", &known, of_request);
        let endpoint = self.required(with, "endpoint", at, "`call: http`").map(|value| self.endpoint(value, &at.key("endpoint")));
        let rest = self.exchange(with, at, "`call: http`")?;
        let (address, authentication) = endpoint??;
        Some(Http { address, authentication, ..rest })
    }

    /// What both calls share; the address is filled in by the caller.
    pub(super) fn exchange(&mut self, with: &Map<String, Value>, at: &At<'_>, what: &str) -> Option<Http> {
        let method = self.required(with, "method", at, what).and_then(|value| self.method(value, &at.key("method")));
        let headers = with.get("headers").map(|value| self.headers(value, &at.key("headers")));
        let query = with.get("query").map(|value| self.entries(value, &at.key("query"), "`query`"));
        let body = with.get("body").map(|value| self.template(value, &at.key("body")));
        let output = with.get("output").map_or(Some(HttpOutput::Content), |value| self.http_output(value, &at.key("output")));
        let redirect = with.get("redirect").map_or(Some(false), |value| self.truth(value, &at.key("redirect"), "`redirect`"));
        Some(Http {
            method: method?,
            address: Address::Pattern(Vec::new()),
            connection: false,
            authentication: None,
            headers,
            query,
            body,
            output: output?,
            redirect: redirect?,
            policies: Policies::default(),
            sends: BodyForm::Auto,
            reads: ResponseForm::Auto,
        })
    }

    fn method(&mut self, value: &Value, at: &At<'_>) -> Option<Template> {
        let text = self.text(value, at, "`method`")?;
        if !text.contains("${") && !methods::is_sendable(text) {
            let message = format!("`method` is `{}`, which is no HTTP method that a flow can send", excerpt(text));
            let lower = text.to_ascii_lowercase();
            let meant = crate::manifest::nearest(&lower, methods::KNOWN);
            let instead = meant.map_or_else(|| methods::INSTEAD.to_owned(), |meant| format!("Did you mean `{meant}`?"));
            self.found(Finding::new(at, codes::VALUE, message).hint(instead));
            return None;
        }
        Some(self.template(value, at))
    }

    fn entries(&mut self, value: &Value, at: &At<'_>, what: &str) -> Template {
        if !value.is_object() && !value.as_str().is_some_and(|text| text.contains("${")) {
            self.found(Finding::new(at, codes::VALUE, format!("{what} is a map or a `${{ … }}`, not {}", kind_of(value))));
        }
        self.template(value, at)
    }

    fn headers(&mut self, value: &Value, at: &At<'_>) -> Template {
        for name in value.as_object().into_iter().flat_map(Map::keys).filter(|name| exchange::is_refused(name)) {
            self.found(Finding::of_key(&at.key(name), codes::VALUE, exchange::refusal(name)).hint("Remove it."));
        }
        self.entries(value, at, "`headers`")
    }

    fn http_output(&mut self, value: &Value, at: &At<'_>) -> Option<HttpOutput> {
        let text = self.text(value, at, "`output`")?;
        self.one_of(text, at, "`output`", &["content", "response", "raw"]).then_some(match text {
            "response" => HttpOutput::Response,
            "raw" => HttpOutput::Raw,
            _ => HttpOutput::Content,
        })
    }

    pub(super) fn endpoint(&mut self, value: &Value, at: &At<'_>) -> Option<(Address, Option<Arc<Authentication>>)> {
        let Value::Object(map) = value else {
            return Some((self.address(value, at, "`endpoint`")?, None));
        };
        self.keys(map, at, "`endpoint`", &["uri", "authentication"]);
        let authentication = map.get("authentication").and_then(|value| self.authentication(value, &at.key("authentication")));
        let uri = self.required(map, "uri", at, "`endpoint`")?;
        Some((self.address(uri, &at.key("uri"), "`uri`")?, authentication))
    }

    pub(super) fn address(&mut self, value: &Value, at: &At<'_>, what: &str) -> Option<Address> {
        let text = self.text(value, at, what)?;
        if text.contains("${") || self.declared.literal {
            return Some(Address::Given(self.template(value, at)));
        }
        self.host_of(text, at);
        match uri::parse(text) {
            Ok(parts) => Some(Address::Pattern(parts)),
            Err(message) => {
                self.found(Finding::new(at, codes::VALUE, format!("{what}: {message}")).hint(uri::INSTEAD));
                None
            }
        }
    }

    /// Finds a host, written out, that the connection does not allow.
    fn host_of(&mut self, text: &str, at: &At<'_>) {
        let declared = self.declared;
        let Some(hosts) = &declared.hosts else { return };
        let Some((_, rest)) = text.split_once("://") else { return };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        if authority.contains('{') {
            return;
        }
        if let Ok(url) = url::Url::parse(&format!("http://{authority}/"))
            && let Some(host) = url.host_str()
            && !hosts::allows(hosts, host)
        {
            self.found(Finding::new(at, codes::HOST, hosts::refusal(hosts, host)).hint("Add it to `connection.hosts`."));
        }
    }
}

/// What is said of a key of `call: request`.
fn of_request(key: &str) -> Option<String> {
    let only = super::request::KEYS.contains(&key);
    only.then(|| format!("`{key}` belongs to `call: request`, which sends to the connection's `baseUrl`."))
}

fn excerpt(name: &str) -> String {
    name.chars().take(80).collect()
}
