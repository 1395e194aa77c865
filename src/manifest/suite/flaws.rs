//! What a suite says that cannot all be meant, and files that it names and that are not there.

use super::{Case, Exchange, Expectation, MockedResponse, ResponseFault};
use crate::manifest::Manifest;
use crate::manifest::suggestion::{listed, nearest};
use crate::model::BundleFiles;

/// Something that a part of a suite says and does not go with the rest of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteFlaw {
    /// Where within the part, as a JSON Pointer.
    pub pointer: String,
    /// What is wrong, a lowercase fragment.
    pub message: String,
    /// What to do instead, a sentence.
    pub hint: &'static str,
}

fn flaw(pointer: impl Into<String>, message: impl Into<String>, hint: &'static str) -> SuiteFlaw {
    SuiteFlaw { pointer: pointer.into(), message: message.into(), hint }
}

impl Case {
    /// What does not go together in it, its exchanges and expectations apart.
    pub fn flaws(&self) -> Vec<SuiteFlaw> {
        let mut flaws = Vec::new();
        for (key, given) in [("polls", !self.polls.is_empty()), ("sequence", !self.sequence.is_empty())] {
            if given && !self.exchanges.is_empty() {
                let message = format!("`exchanges` says nothing beside `{key}`, of which each entry has its own");
                flaws.push(flaw("/exchanges", message, "Move them into the entries that send the requests."));
            }
        }
        for (key, given) in [("request", self.request.is_some()), ("lifecycle", self.lifecycle.is_some())] {
            if given && !self.sequence.is_empty() {
                let message = format!("`{key}` says nothing beside `sequence`");
                flaws.push(flaw(format!("/{key}"), message, "Move it into what happens there."));
            }
        }
        flaws
    }

    /// What is for triggers of another kind than what it runs, as far as that is declared.
    pub fn misplaced(&self, manifest: &Manifest) -> Option<SuiteFlaw> {
        let named = match &self.trigger {
            Some(name) => Some((name, manifest.triggers.get(name)?)),
            None => None,
        };
        let is_webhook = named.is_some_and(|(_, trigger)| trigger.on.webhook.is_some());
        let is_polled = named.is_some() && !is_webhook;
        let webhooks = [
            ("request", self.request.is_some()),
            ("lifecycle", self.lifecycle.is_some()),
            ("subscription", self.subscription.is_some()),
            ("sequence", !self.sequence.is_empty()),
            ("expect.answer", self.expect.answer.is_some()),
        ];
        let polls = [("polls", !self.polls.is_empty()), ("cursor", self.cursor.is_some()), ("expect.cursor", self.expect.cursor.is_some())];
        let given = |keys: &[(&'static str, bool)]| keys.iter().find(|(_, given)| *given).map(|(key, _)| *key);
        let of_webhooks = given(&webhooks).filter(|_| !is_webhook).map(|key| (key, "webhook"));
        let (key, kind) = of_webhooks.or_else(|| given(&polls).filter(|_| !is_polled).map(|key| (key, "polled")))?;
        let runs = named.map_or_else(|| "the case runs none".to_owned(), |(name, _)| format!("`{name}` is none"));
        let pointer = format!("/{}", key.split('.').next().unwrap_or(key));
        let message = format!("`{key}` is for {kind} triggers, and {runs}");
        Some(flaw(pointer, message, "Remove it, or name another `trigger`."))
    }
}

impl Exchange {
    /// What does not go together in it, and in those of its group.
    pub fn flaws(&self) -> Vec<SuiteFlaw> {
        let mut flaws = self.response.as_ref().map(|response| response.flaws("/response")).unwrap_or_default();
        for (index, inner) in self.in_any_order.iter().enumerate() {
            if !inner.in_any_order.is_empty() {
                let message = "exchanges in any order cannot hold others in any order";
                let hint = "Write all of them into the outer `inAnyOrder`.";
                flaws.push(flaw(format!("/inAnyOrder/{index}/inAnyOrder"), message, hint));
            }
            flaws.extend(inner.response.iter().flat_map(|response| response.flaws(&format!("/inAnyOrder/{index}/response"))));
        }
        flaws
    }
}

impl MockedResponse {
    fn flaws(&self, pointer: &str) -> Vec<SuiteFlaw> {
        let has_body = self.body.is_some() || self.bytes.is_some() || self.file.is_some();
        let says_something = self.status.is_some() || !self.headers.is_empty() || has_body;
        let (name, nothing, delayed) = match self.fault {
            None => return Vec::new(),
            Some(ResponseFault::Malformed) if has_body => return Vec::new(),
            Some(ResponseFault::Malformed) => {
                let message = "`fault: malformed` breaks a body off, and there is none";
                return vec![flaw(format!("{pointer}/fault"), message, "Add the whole body as `body`, `bytes` or `file`.")];
            }
            Some(ResponseFault::Reset) => ("reset", says_something, false),
            Some(ResponseFault::Timeout) => ("timeout", says_something, self.delay.is_some()),
        };
        let mut flaws = Vec::new();
        if nothing {
            let message = format!("with `fault: {name}` nothing is answered, but an answer is given");
            flaws.push(flaw(format!("{pointer}/fault"), message, "Remove the fault, or everything beside it."));
        }
        if delayed {
            flaws.push(flaw(format!("{pointer}/delay"), "with `fault: timeout` nothing comes, however late", "Remove `delay`."));
        }
        flaws
    }
}

impl Expectation {
    /// What does not go together in it.
    pub fn flaws(&self) -> Vec<SuiteFlaw> {
        if self.error.is_none() {
            return Vec::new();
        }
        let outputs = [
            ("output", self.output.is_some()),
            ("outputIncludes", self.output_includes.is_some()),
            ("outputSchema", self.output_schema.is_some()),
        ];
        let given = outputs.iter().filter(|(_, given)| *given);
        let flaws = given.map(|(key, _)| {
            let message = format!("`{key}` and `error` exclude each other: a flow that ends with an error has no output");
            flaw(format!("/{key}"), message, "Remove one of them, or make two cases of them.")
        });
        flaws.collect()
    }
}

/// What is said of a file that a suite names and the connector's folder does not hold: a lowercase fragment, and a sentence.
pub fn missing_file(path: &str, files: &BundleFiles) -> (String, String) {
    const MOST: usize = 10;
    let message = format!("the connector has no file `{}`", crate::manifest::excerpt(path));
    if let Some(near) = nearest(path, files.iter().map(|(path, _)| path)) {
        return (message, format!("Did you mean `{near}`?"));
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = |path: &&str| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
    let known: Vec<&str> = files.iter().map(|(path, _)| path).filter(beside).take(MOST).collect();
    let hint = if known.is_empty() {
        "Add it; its path begins at the connector's folder.".to_owned()
    } else {
        format!("There: {}.", listed(&known))
    };
    (message, hint)
}
