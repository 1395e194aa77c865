//! The connector as a whole: what it offers, its icon, its version.

use super::codes::{NO_ICON, NO_VERSION, NOTHING_OFFERED};
use super::findings::Findings;
use crate::flow::finding::At;
use crate::model::{Kind, Status};

pub(super) fn check(findings: &mut Findings<'_>) {
    let manifest = &findings.bundle.manifest;
    if manifest.actions.is_empty() && manifest.triggers.is_empty() {
        let message = "the connector has neither an action nor a trigger";
        findings.needed(
            Status::Published,
            NOTHING_OFFERED,
            findings.key(&At::base("/name")),
            message,
            "Add one under `actions` or `triggers`.",
        );
    }
    if let Some(icon) = &manifest.icon
        && findings.bundle.files.get(icon).is_none()
    {
        let message = format!("there is no file `{icon}` in the connector's folder");
        findings.broken(NO_ICON, findings.value(&At::base("/icon")), message, "Add the file beside connector.yaml, or remove `icon`.");
    }
    if manifest.kind == Kind::SelfBuilt && manifest.version.is_none() {
        let message = "a self-built connector needs a version before it is pre-published";
        findings.needed(Status::PrePublished, NO_VERSION, findings.value(&At::base("/kind")), message, "Add `version: 0.1.0`.");
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn a_connector_offers_something() {
        let nothing = "apiVersion: switchboard/v1\nname: sample\ntitle: S\ndescription: D.\nkind: saas\nstatus: editing\nowner: a@b.c\n";
        assert_eq!(sample::report(|sample| sample.only(nothing)), ["SB101 warning 2:1"]);
        let published = nothing.replace("editing", "published");
        assert_eq!(sample::report(|sample| sample.only(&published)), ["SB101 error 2:1"]);
    }

    #[test]
    fn the_icon_is_there() {
        assert_eq!(sample::report(|sample| sample.replace("icon: icon.svg", "icon: picture.svg")), ["SB102 error 5:7"]);
        assert_eq!(sample::report(|sample| sample.replace("icon: icon.svg\n", "")), Vec::<String>::new());
    }

    #[test]
    fn a_self_built_connector_has_a_version_before_it_is_pre_published() {
        let without = |status: &str| {
            sample::report(|sample| {
                sample.replace("version: 1.0.0\n", "");
                sample.replace("status: published", &format!("status: {status}"));
            })
        };
        assert_eq!(without("editing"), ["SB103 warning 6:7"]);
        assert_eq!(without("pre-published"), ["SB103 error 6:7"]);
        assert_eq!(without("published"), ["SB103 error 6:7"]);
        let saas = sample::report(|sample| sample.replace("kind: self-built\nversion: 1.0.0\n", "kind: saas\n"));
        assert_eq!(saas, Vec::<String>::new());
    }
}
