//! Where the operations of a description are: servers with variables, or scheme, host and base path.

use serde_json::Value;
use url::Url;

use super::Version;
use super::call::{Given, Operation};
use super::reference::follow;
use super::style::scalar;
use crate::flow::uri::{self, Part};
use crate::manifest::excerpt;

/// The longest address that is made, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// How many values of an `enum` are looked at.
const MOST_ALLOWED: usize = 1_000;

/// The address that the operation's path is below.
pub(super) fn base(operation: &Operation<'_>, at: Option<&Url>, given: &mut Given<'_>) -> Result<Url, String> {
    let mut url = match operation.version {
        Version::Two => two(operation, at)?,
        Version::Three => three(operation, at, given)?,
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("its server `{}` is not an HTTP address", excerpt(url.as_str())));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn two(operation: &Operation<'_>, at: Option<&Url>) -> Result<Url, String> {
    let root = operation.root;
    let schemes = operation.operation.get("schemes").or_else(|| root.get("schemes")).and_then(Value::as_array);
    let offers = |scheme: &str| schemes.is_some_and(|schemes| schemes.iter().any(|offered| offered.as_str() == Some(scheme)));
    let own = at.map(Url::scheme).filter(|own| schemes.is_none_or(Vec::is_empty) || offers(own));
    let offered = ["https", "http"].into_iter().find(|scheme| offers(scheme));
    let host = root.get("host").and_then(Value::as_str);
    let scheme = match host {
        Some(_) => offered.or(own),
        // The very host that served the description is reached as it was.
        None => own.or(offered),
    };
    let scheme = match scheme {
        Some(scheme) => scheme,
        None if schemes.is_none_or(Vec::is_empty) => "https",
        None => return Err("it is offered neither by https nor by http".to_owned()),
    };
    let authority = match (host, at) {
        (Some(host), _) if host.contains(|c: char| "/\\?#@".contains(c) || c.is_whitespace() || c.is_control()) => {
            return Err(format!("the description's host `{}` is not one", excerpt(host)));
        }
        (Some(host), _) => host.to_owned(),
        (None, Some(at)) => at[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
        (None, None) => return Err("the description names no host, and was not read from one".to_owned()),
    };
    let path = root.get("basePath").and_then(Value::as_str).unwrap_or_default().trim_start_matches('/');
    steps_nowhere(path)?;
    let text = format!("{scheme}://{authority}/{path}");
    Url::parse(&text).map_err(|error| format!("`{}` is not an address: {error}", excerpt(&text)))
}

fn three(operation: &Operation<'_>, at: Option<&Url>, given: &mut Given<'_>) -> Result<Url, String> {
    let holders = [operation.operation, operation.item, operation.root];
    let server = holders.into_iter().find_map(|holder| holder.get("servers")?.as_array()?.first());
    let template = server.and_then(|server| server.get("url")).and_then(Value::as_str).unwrap_or("/");
    if template.len() > LONGEST {
        return Err(too_long());
    }
    let parts = uri::parse(template).map_err(|why| format!("its server `{}`: {why}", excerpt(template)))?;
    let variables = server.and_then(|server| server.get("variables"));
    let text = expand(&parts, |name| {
        let variable = variables.and_then(|variables| variables.get(name)).map(|variable| follow(operation.root, variable)).transpose()?;
        value_of(name, variable, given)
    })?;
    steps_nowhere(&text)?;
    let own = operation.root.get("$self").and_then(Value::as_str);
    let own = own.and_then(|own| at.map_or_else(|| Url::parse(own), |at| at.join(own)).ok());
    match own.as_ref().or(at) {
        Some(at) => at.join(&text),
        None => Url::parse(&text),
    }
    .map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            format!("its server `{}` is relative, and the description was not read from an address", excerpt(&text))
        }
        other => format!("its server `{}` is not an address: {other}", excerpt(&text)),
    })
}

/// The value of a server's variable: given like a parameter, or its default.
fn value_of(name: &str, variable: Option<&Value>, given: &mut Given<'_>) -> Result<String, String> {
    let shown = excerpt(name);
    let Some(value) = given.undeclared(name) else {
        let default = variable.and_then(|variable| variable.get("default")).and_then(scalar);
        return default.ok_or_else(|| format!("its server's address needs `{shown}`, which is neither given nor has a default"));
    };
    let text = scalar(value).ok_or_else(|| format!("`{shown}` is part of the server's address, and has to be text"))?;
    if let Some(allowed) = variable.and_then(|variable| variable.get("enum")).and_then(Value::as_array) {
        let allowed: Vec<_> = allowed.iter().take(MOST_ALLOWED).filter_map(scalar).collect();
        if !allowed.contains(&text) {
            let allowed: Vec<_> = allowed.iter().take(20).map(|value| format!("`{}`", excerpt(value))).collect();
            return Err(format!("`{shown}` is `{}`, and may be {}", excerpt(&text), allowed.join(", ")));
        }
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
    if text.chars().all(plain) { Ok(text) } else { Err(format!("`{shown}` is `{}`, which does not fit into an address", excerpt(&text))) }
}

/// A template with its variables replaced, not longer than addresses may be.
pub(super) fn expand(parts: &[Part], mut value: impl FnMut(&str) -> Result<String, String>) -> Result<String, String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Plain(plain) => text.push_str(plain),
            Part::Variable(name) | Part::Required(name) => text.push_str(&value(name)?),
        }
        if text.len() > LONGEST {
            return Err(too_long());
        }
    }
    Ok(text)
}

pub(super) fn too_long() -> String {
    format!("the address is longer than {LONGEST} bytes")
}

/// Refuses `.` and `..` after the beginning, encoded or not: they would lead to another address.
pub(super) fn steps_nowhere(path: &str) -> Result<(), String> {
    let is_step = |segment: &str| {
        let segment: String = segment.chars().filter(|c| !c.is_ascii_control()).collect();
        matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
    };
    if path.split(['/', '\\']).skip_while(|segment| matches!(*segment, "." | "..")).any(is_step) {
        return Err(format!("`{}` has a step `.` or `..` in it, which would lead to another address", excerpt(path)));
    }
    Ok(())
}
