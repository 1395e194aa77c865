//! The paths of a connector's webhooks: each leads to one trigger.

use std::collections::BTreeMap;

use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::parse::Parser;
use crate::manifest::{Manifest, escape};

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

#[cfg(test)]
mod tests {
    use crate::flow::check;
    use crate::manifest::Bundle;
    use crate::model::BundleFiles;

    const MANIFEST: &str = r#"
apiVersion: switchboard/v1
name: demo
title: Demo
description: Two webhooks and a schedule.
kind: saas
status: editing
owner: alice@example.com
triggers:
  opened: { on: { webhook: { path: /issues } } }
  closed:
    on: { webhook: { path: /issues } }
  polled:
    on: { schedule: { cron: "0 25 * * *" } }
"#;

    #[test]
    fn what_is_wrong_with_triggers_is_told_with_its_place() {
        let files = BundleFiles::new([("connector.yaml".to_owned(), MANIFEST.as_bytes().to_vec())].into());
        let problems: Vec<String> = check(&Bundle::read("demo", &files).unwrap()).0.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "connectors/demo/connector.yaml:12:28: error[SB347]: the path `/issues` leads to the trigger `opened` already",
                "connectors/demo/connector.yaml:14:29: error[SB340]: `25` is no hour of a cron line",
            ]
        );
    }
}
