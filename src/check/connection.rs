//! The connection: where requests go, and what its properties hold.

use serde_json::Value;

use super::codes::{HOST_NOT_ALLOWED, NO_BASE_URL, NO_HOSTS, SECRET_WITH_DEFAULT, WRONG_DEFAULT};
use super::findings::Findings;
use super::values::takes;
use crate::flow::finding::At;
use crate::flow::hosts;
use crate::manifest::{Connection, Manifest, Tasks};

pub(super) fn check(findings: &mut Findings<'_>) {
    let manifest = &findings.bundle.manifest;
    properties(findings, manifest);
    let calls = calls(manifest);
    let connection = manifest.connection.as_ref();
    let place = At::base("/connection");
    if calls.request && connection.is_none_or(|connection| connection.base_url.is_none()) {
        let message = "flows use `call: request`, but the connection has no `baseUrl`";
        findings.broken(NO_BASE_URL, findings.key(&place), message, "Add `baseUrl: https://api.example.com` to the connection.");
    }
    if (calls.request || calls.http) && connection.is_none_or(|connection| connection.hosts.is_empty()) {
        let message = "flows send requests, but the connection allows no `hosts`";
        findings.broken(NO_HOSTS, findings.key(&place), message, "List the hosts they may reach: `hosts: [api.example.com]`.");
    } else if let Some(connection) = connection {
        base_host(findings, connection);
    }
}

/// The base address leads to an allowed host, as far as that is known: as text, or as the default of a property.
fn base_host(findings: &mut Findings<'_>, connection: &Connection) {
    let Some(base) = connection.base_url.as_deref() else { return };
    let property =
        base.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).and_then(|name| name.trim().strip_prefix("$connection."));
    let properties = At::base("/connection/properties");
    let (address, path) = match property {
        None => (Some(base), At::base("/connection/baseUrl")),
        Some(name) => {
            let default = connection.properties.get(name).and_then(|property| property.default.as_ref());
            (default.and_then(Value::as_str), properties.key(name))
        }
    };
    let Some(host) = address.and_then(|address| url::Url::parse(address).ok()).and_then(|url| url.host_str().map(str::to_owned)) else {
        return;
    };
    if !hosts::allows(&connection.hosts, &host) {
        let place = if property.is_some() { findings.value(&path.key("default")) } else { findings.value(&path) };
        let message = format!("the base address leads to `{host}`, which `connection.hosts` does not allow");
        findings.broken(HOST_NOT_ALLOWED, place, message, format!("Add `{host}` to `connection.hosts`, or correct the address."));
    }
}

fn properties(findings: &mut Findings<'_>, manifest: &Manifest) {
    let Some(connection) = &manifest.connection else { return };
    let all = At::base("/connection/properties");
    for (name, property) in connection.properties.iter() {
        let Some(default) = &property.default else { continue };
        let place = findings.value(&all.key(name).key("default"));
        if property.secret {
            let message = format!("the secret `{name}` has a default, which everybody can read who can read the repository");
            findings.broken(SECRET_WITH_DEFAULT, place, message, "Remove the default; if the value was ever real, have it revoked.");
        } else if !takes(property, default) {
            let message = format!("the default of `{name}` is not a value that the property takes");
            findings.broken(WRONG_DEFAULT, place, message, "Correct the default, `type` or `enum`.");
        }
    }
}

/// Which kinds of request some flow sends.
#[derive(Default)]
struct Calls {
    request: bool,
    http: bool,
}

fn calls(manifest: &Manifest) -> Calls {
    let mut calls = Calls::default();
    let test = manifest.connection.iter().filter_map(|connection| connection.test.as_ref()).map(|test| &test.tasks);
    let actions = manifest.actions.iter().filter_map(|(_, action)| action.tasks.as_ref());
    let triggers = manifest.triggers.iter().filter_map(|(_, trigger)| trigger.tasks.as_ref());
    let webhooks = manifest.triggers.iter().filter_map(|(_, trigger)| trigger.on.webhook.as_ref());
    let lifecycle = webhooks.flat_map(|webhook| [&webhook.subscribe, &webhook.unsubscribe]).flatten().map(|flow| &flow.tasks);
    for Tasks(tasks) in test.chain(actions).chain(triggers).chain(lifecycle) {
        calls.in_tasks(tasks);
    }
    calls
}

impl Calls {
    fn in_tasks(&mut self, tasks: &Value) {
        let tasks = tasks.as_array().into_iter().flatten().filter_map(Value::as_object);
        for task in tasks.flat_map(serde_json::Map::values) {
            match task.get("call").and_then(Value::as_str) {
                Some("request") => self.request = true,
                Some("http" | "openapi") => self.http = true,
                Some(_) | None => {}
            }
            for pointer in ["/do", "/try", "/catch/do", "/fork/branches"] {
                if let Some(inner) = task.pointer(pointer) {
                    self.in_tasks(inner);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn requests_have_a_base_address_and_hosts() {
        assert_eq!(sample::report(|sample| sample.replace("  baseUrl: https://api.example.com\n", "")), ["SB141 error 10:1"]);
        assert_eq!(sample::report(|sample| sample.replace("  hosts: [api.example.com]\n", "")), ["SB142 error 10:1"]);
    }

    #[test]
    fn a_connector_that_sends_nothing_needs_neither() {
        let found = sample::report(|sample| {
            sample.replace("  hosts: [api.example.com]\n  baseUrl: https://api.example.com\n", "");
            sample.replace("call: request, with: { method: get, path: /me }", "set: { ok: true }");
            sample.replace("call: request, with: { method: get, path: \"/things/{id}\" }", "set: { name: x }");
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn requests_are_found_in_nested_tasks() {
        let found = sample::report(|sample| {
            sample.replace("  hosts: [api.example.com]\n  baseUrl: https://api.example.com\n", "");
            sample.replace("call: request, with: { method: get, path: /me }", "set: { ok: true }");
            let nested = "do: [{ inner: { call: request, with: { method: get, path: /x } } }]";
            sample.replace("call: request, with: { method: get, path: \"/things/{id}\" }", nested);
        });
        assert_eq!(found, ["SB141 error 10:1", "SB142 error 10:1"]);
    }

    #[test]
    fn the_base_address_leads_to_an_allowed_host() {
        let base = |url: &str| sample::report(|sample| sample.replace("baseUrl: https://api.example.com", &format!("baseUrl: {url}")));
        assert_eq!(base("https://api.example.org"), ["SB143 error 12:12"]);
        assert_eq!(base("https://api.example.com:8443/v1"), Vec::<String>::new());
        assert_eq!(base("${ $connection.region }"), Vec::<String>::new());
        let below = |hosts: &str| sample::report(|sample| sample.replace("hosts: [api.example.com]", &format!("hosts: [{hosts}]")));
        assert_eq!(below("\"*.example.com\""), Vec::<String>::new());
        assert_eq!(below("\"*.api.example.com\""), ["SB143 error 12:12"]);
    }

    #[test]
    fn a_base_address_that_is_a_default_is_followed() {
        let found = sample::report(|sample| {
            sample.replace("baseUrl: https://api.example.com", "baseUrl: ${ $connection.region }");
            sample.replace("default: eu", "default: https://other.example.com/");
            sample.replace("enum: [eu, us], ", "");
        });
        assert_eq!(found, ["SB143 error 15:53"]);
    }

    #[test]
    fn a_secret_has_no_default() {
        assert_eq!(sample::report(|sample| sample.replace("secret: true }", "secret: true, default: abc }")), ["SB144 error 14:65"]);
    }

    #[test]
    fn defaults_are_values_that_the_property_takes() {
        assert_eq!(sample::report(|sample| sample.replace("default: eu", "default: moon")), ["SB145 error 15:69"]);
        assert_eq!(sample::report(|sample| sample.replace("enum: [eu, us], default: eu", "default: 3")), ["SB145 error 15:53"]);
        assert_eq!(sample::report(|sample| sample.replace("default: eu", "default: us")), Vec::<String>::new());
    }
}
