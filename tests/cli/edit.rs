//! `edit` sets values in place or opens an editor, and tells what is wrong then.

use crate::support::command::Team;

const MANIFEST: &str = "connectors/crm/connector.yaml";

fn with_crm() -> Team {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    team
}

#[test]
fn values_are_set_in_place_and_committed() {
    let team = with_crm();
    let before = team.read(MANIFEST);
    team.run(&["edit", "crm", "--set", "title=Customers: all", "--set", "docs.website=https://example.org", "--commit"]).done();
    let after =
        before.replace("title: Crm", "title: \"Customers: all\"").replace("website: https://example.com", "website: https://example.org");
    assert_eq!(team.read(MANIFEST).replace('\'', "\""), after.replace('\'', "\""));
    assert_eq!(team.last_commit().0, "Edit crm: set title, docs.website");
}

#[test]
fn a_value_that_would_break_the_manifest_is_refused() {
    let team = with_crm();
    let before = team.read(MANIFEST);
    for (set, reason) in [("titel=x", "unknown key `titel`"), ("status=live", "`live`"), ("version=one", "version")] {
        let ran = team.run(&["edit", "crm", "--set", set]).failed();
        assert!(ran.err.contains("that would break the manifest") && ran.err.contains(reason), "{set}: {}", ran.err);
    }
    assert_eq!(team.read(MANIFEST), before);
    team.run(&["edit", "crm", "--set", "title"]).two();
}

#[test]
fn an_editor_may_hold_arguments_and_what_it_breaks_is_told() {
    let team = with_crm();
    let editor = [("EDITOR", "/bin/sed -i s/^title:/titel:/")];
    let ran = team.run_with(&team.root(), &["edit", "crm", "--commit"], &editor).failed();
    assert!(ran.err.contains("error[SB020]: unknown key `titel`"), "{}", ran.err);
    assert!(ran.err.contains("nothing was committed"), "{}", ran.err);
    let editor = [("EDITOR", "/bin/sed -i s/^titel:/title:/")];
    let ran = team.run_with(&team.root(), &["edit", "crm"], &editor).done();
    assert!(ran.out.contains("Changed crm"), "{}", ran.out);
}

#[test]
fn without_an_editor_there_is_a_way() {
    let ran = with_crm().run(&["edit", "crm"]).failed();
    assert!(ran.err.contains("Set VISUAL or EDITOR, or use --set"), "{}", ran.err);
}
