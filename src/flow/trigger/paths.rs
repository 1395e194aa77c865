//! The paths of a connector's webhooks: each leads to one trigger.

use std::collections::BTreeMap;

use crate::flow::codes;
use crate::flow::finding::{At, Finding, escape};
use crate::flow::parse::Parser;
use crate::manifest::Manifest;

/// Finds paths that lead to two triggers.
pub(crate) fn distinct(parser: &mut Parser<'_>, manifest: &Manifest) {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, trigger) in manifest.triggers.iter() {
        let Some(webhook) = &trigger.on.webhook else { continue };
        match first.get(webhook.path.as_str()) {
            None => drop(first.insert(&webhook.path, name)),
            Some(other) => {
                let pointer = format!("/triggers/{}/on/webhook/path", escape(name));
                let message = format!("the path `{}` leads to the trigger `{other}` already", webhook.path);
                parser.findings.push(Finding::new(&At::base(&pointer), codes::PATH_TAKEN, message));
            }
        }
    }
}
