//! What must not be in a recording: the secrets that a live run has, each with what stands for it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use url::Url;

use super::tape::Sent;
use crate::flow::{Response, Session};
use crate::manifest::{Case, Manifest, Property, Suite};

/// What is shorter stands in any answer by chance, in characters.
const SHORTEST: usize = 4;
/// What is shorter may be a word of any message, in characters.
const SHORTEST_UNTOLD: usize = 8;
/// Members of an authority's answer that hold what it hands out, RFC 6749, section 5.1, and OpenID Connect Core, section 3.1.3.3.
const HANDED_OUT: [&str; 3] = ["access_token", "refresh_token", "id_token"];

/// A text of the live run, and what stands for it. It is shown to nobody, and so has no `Debug`.
pub(super) struct Known {
    /// What it is, for people.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) instead: String,
    pub(super) kind: Kind,
}

/// Why a text is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It must not be in a recording.
    Secret,
    /// The suite has another value in its place, with which the recording is to be replayed.
    Other,
}

/// The values of a connection, and those among them that only names are committed of.
pub(super) struct Values<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) given: &'a Map<String, Value>,
    pub(super) referenced: &'a BTreeSet<String>,
}

impl Values<'_> {
    fn properties(&self) -> impl Iterator<Item = (&str, &Property, &Value)> {
        let declared = self.manifest.connection.iter().flat_map(|connection| connection.properties.iter());
        declared.filter_map(|(name, property)| Some((name, property, self.given.get(name)?)))
    }

    fn is_secret(&self, name: &str, property: &Property) -> bool {
        property.secret || self.referenced.contains(name)
    }

    /// What must not be shown of them.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Value> {
        self.properties().filter(|(name, property, _)| self.is_secret(name, property)).map(|(_, _, value)| value)
    }

    /// What is looked for in what is told of cases, with the tokens of a session. What is short is a word like others.
    pub(super) fn untold(&self, session: &Session) -> Vec<Known> {
        let own = self.properties().filter(|(name, property, _)| self.is_secret(name, property)).filter_map(|(_, _, value)| text_of(value));
        let long = own.chain(session.secrets()).filter(|text| text.chars().count() >= SHORTEST_UNTOLD);
        long.map(|text| Known { name: String::new(), text, instead: String::new(), kind: Kind::Secret }).collect()
    }

    /// The values with what a case has in their places; or why nothing can be recorded with them.
    pub(super) fn known(&self, suite: &Suite, case: &Case) -> Result<Vec<Known>, String> {
        let mut known = Vec::new();
        for (name, property, value) in self.properties() {
            let Some(text) = text_of(value) else { continue };
            let instead = case.connection.get(name).or_else(|| suite.connection.get(name)).or(property.default.as_ref()).and_then(text_of);
            let is_same = instead.as_ref() == Some(&text);
            match (self.is_secret(name, property), instead) {
                (false, None) => {}
                (false, Some(_)) | (true, Some(_)) if is_same && !property.secret => {}
                (true, Some(_)) if is_same => {
                    return Err(format!(
                        "the suite's `connection` gives `{name}` the value that it has in this environment, which is a secret: \
                         write another one there, and have the secret revoked if it was committed"
                    ));
                }
                (true, _) if text.chars().count() < SHORTEST => return Err(too_short(&format!("the value of `{name}`"))),
                (is_secret, instead) => known.extend(pair(name, &text, instead.as_deref(), is_secret)),
            }
        }
        Ok(known)
    }
}

fn too_short(what: &str) -> String {
    format!("{what} has fewer than {SHORTEST} characters, so nobody could tell whether it is in the recording: record with a longer one")
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value and what stands for it; of an address also its host alone, since services make other addresses of it.
fn pair(name: &str, text: &str, instead: Option<&str>, is_secret: bool) -> Vec<Known> {
    let kind = if is_secret { Kind::Secret } else { Kind::Other };
    let stand_in = instead.map_or_else(|| format!("recorded-{name}"), str::to_owned);
    let known = |text: &str, instead: &str, kind| Known {
        name: format!("the value of `{name}`"),
        text: text.to_owned(),
        instead: instead.to_owned(),
        kind,
    };
    let authority = |text: &str| {
        Url::parse(text).ok().and_then(|url| {
            let host = url.host_str()?.to_owned();
            Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
        })
    };
    match (authority(text), authority(&stand_in)) {
        (Some(host), Some(other)) => {
            let bare = |address: &str| address.trim_end_matches('/').to_owned();
            let mut all = vec![known(&bare(text), &bare(&stand_in), kind)];
            if host != other {
                all.push(known(&host, &other, Kind::Other));
            }
            all
        }
        (None | Some(_), None | Some(_)) => vec![known(text, &stand_in, kind)],
    }
}

/// The tokens that a live run was handed, in the order in which they were first seen: what authorities answered, what was sent as a token,
/// and what the session has at hand.
pub(super) fn tokens(taken: &[(Sent, Response)], session: &Session, known: &[Known]) -> Result<Vec<Known>, String> {
    let mut texts: Vec<String> = Vec::new();
    for (sent, response) in taken {
        let scheme = sent.authorization.as_deref().and_then(|value| value.split_once(' '));
        texts.extend(scheme.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim().to_owned()));
        let answer = serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
        texts.extend(HANDED_OUT.iter().filter_map(|name| answer.get(name)?.as_str().map(str::to_owned)));
    }
    texts.extend(session.secrets());
    let mut found: Vec<Known> = Vec::new();
    for text in texts {
        let is_known = known.iter().any(|known| known.kind == Kind::Secret && (known.text == text || known.instead == text));
        if text.is_empty() || is_known || found.iter().any(|known| known.text == text) {
            continue;
        }
        if text.chars().count() < SHORTEST {
            return Err(too_short("a token that the service handed out"));
        }
        let number = found.len() + 1;
        found.push(Known {
            name: "a token that the service handed out".to_owned(),
            text,
            instead: format!("recorded-token-{number}"),
            kind: Kind::Secret,
        });
    }
    Ok(found)
}
