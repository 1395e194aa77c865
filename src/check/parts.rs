//! Actions and triggers: each says what it does, what it takes and gives, and how.
//!
//! A private action is a step of the connector's own flows: nobody sees it, so it needs no title, no description and no case of its own.

use super::codes::{NO_DESCRIPTION, NO_FLOW, NO_INPUT, NO_OUTPUT, NO_TITLE};
use super::findings::Findings;
use crate::flow::finding::At;
use crate::manifest::{Manifest, Schema, Visibility};
use crate::model::Status;

/// An action or a trigger, as far as the two are alike.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Where it stands: `/actions` or `/triggers`.
    pub(super) section: &'static str,
    /// What people call it: `action` or `trigger`.
    pub(super) word: &'static str,
    pub(super) name: &'a str,
    /// Whether only the connector's own flows use it.
    pub(super) private: bool,
    pub(super) input: Option<&'a Schema>,
    pub(super) output: Option<&'a Schema>,
    title: Option<&'a str>,
    description: Option<&'a str>,
    has_flow: bool,
}

/// Every action, then every trigger.
pub(super) fn parts(manifest: &Manifest) -> impl Iterator<Item = Part<'_>> {
    let actions = manifest.actions.iter().map(|(name, action)| Part {
        section: "/actions",
        word: "action",
        name,
        private: action.visibility == Visibility::Private,
        input: action.input.as_ref(),
        output: action.output.as_ref(),
        title: action.title.as_deref(),
        description: action.description.as_deref(),
        has_flow: action.tasks.is_some(),
    });
    let triggers = manifest.triggers.iter().map(|(name, trigger)| Part {
        section: "/triggers",
        word: "trigger",
        name,
        private: false,
        input: trigger.input.as_ref(),
        output: trigger.output.as_ref(),
        title: trigger.title.as_deref(),
        description: trigger.description.as_deref(),
        has_flow: trigger.tasks.is_some(),
    });
    actions.chain(triggers)
}

pub(super) fn check(findings: &mut Findings<'_>) {
    for part in parts(&findings.bundle.manifest) {
        let says = |text: Option<&str>| part.private || text.is_some_and(|text| !text.trim().is_empty());
        let needs = [
            (says(part.title), Status::Published, NO_TITLE, "title"),
            (says(part.description), Status::Published, NO_DESCRIPTION, "description"),
            (part.input.is_some(), Status::Published, NO_INPUT, "input"),
            (part.output.is_some(), Status::Published, NO_OUTPUT, "output"),
            (part.has_flow, Status::PrePublished, NO_FLOW, "do"),
        ];
        for (given, from, code, key) in needs {
            if !given {
                let Part { section, word, name, .. } = part;
                let place = findings.key(&At::base(section).key(name));
                findings.needed(from, code, place, format!("the {word} `{name}` has no `{key}`"), hint(key));
            }
        }
    }
}

fn hint(key: &str) -> &'static str {
    match key {
        "title" => "Add a few words that say what it does, such as `title: Create an issue`.",
        "description" => "Add a sentence or two that say what happens, and when.",
        "input" => "Add a JSON Schema; for one that takes nothing: `input: { type: object, additionalProperties: false }`.",
        "output" => "Add a JSON Schema, or refer to a type: `output: { $ref: \"#/types/Name\" }`.",
        _ => "Add the tasks of the flow.",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn each_says_what_it_does() {
        assert_eq!(sample::report(|sample| sample.replace("    title: Get a thing\n", "")), ["SB121 error 22:3"]);
        assert_eq!(sample::report(|sample| sample.replace("title: Get a thing", "title: ' '")), ["SB121 error 22:3"]);
        assert_eq!(sample::report(|sample| sample.replace("    description: Looks a thing up by its id.\n", "")), ["SB122 error 22:3"]);
        assert_eq!(sample::report(|sample| sample.replace("    title: Thing made\n", "")), ["SB121 error 32:3"]);
        assert_eq!(sample::report(|sample| sample.replace("    description: Fires for each new thing.\n", "")), ["SB122 error 32:3"]);
    }

    #[test]
    fn each_says_what_it_takes_and_gives() {
        let input = "    input: { type: object, required: [id], properties: { id: { type: string } } }\n";
        assert_eq!(sample::report(|sample| sample.replace(input, "")), ["SB123 error 22:3"]);
        assert_eq!(sample::report(|sample| sample.replace("    output: { $ref: \"#/types/Thing\" }\n", "")), ["SB124 error 22:3"]);
        assert_eq!(sample::report(|sample| sample.replace("    input: { type: object }\n", "")), ["SB123 error 32:3"]);
        assert_eq!(sample::report(|sample| sample.replace("    output: { type: object }\n", "")), ["SB124 error 32:3"]);
    }

    #[test]
    fn each_has_an_implementation_before_it_is_deployed() {
        let flow = "    do:\n      - get: { call: request, with: { method: get, path: \"/things/{id}\" } }\n";
        let without = |status: &str| {
            sample::report(|sample| {
                sample.replace(flow, "");
                sample.replace("status: published", &format!("status: {status}"));
            })
        };
        assert_eq!(without("editing"), ["SB125 warning 22:3"]);
        assert_eq!(without("pre-published"), ["SB125 error 22:3"]);
    }

    #[test]
    fn before_publishing_what_is_missing_is_a_warning() {
        for status in ["editing", "pre-published"] {
            let found = sample::report(|sample| {
                sample.replace("    title: Get a thing\n", "");
                sample.replace("status: published", &format!("status: {status}"));
            });
            assert_eq!(found, ["SB121 warning 22:3"], "{status}");
        }
    }

    #[test]
    fn a_private_action_needs_no_texts_and_no_case() {
        let private = "actions:\n  look-up:\n    visibility: private\n    input: { type: object }\n    output: { type: object }\n    do: [{ nothing: { set: {} } }]\n";
        assert_eq!(sample::report(|sample| sample.replace("actions:\n", private)), Vec::<String>::new());
        let public = private.replace("    visibility: private\n", "");
        let found = sample::report(|sample| sample.replace("actions:\n", &public));
        assert_eq!(found, ["SB121 error 22:3", "SB122 error 22:3", "SB203 error 22:3"]);
    }
}
