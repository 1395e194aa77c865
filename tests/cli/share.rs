//! `share` lets somebody else edit too.

use crate::support::command::Team;

#[test]
fn people_come_and_go() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    let before = team.read("connectors/crm/connector.yaml");
    team.run(&["share", "crm", "Bob <bob@example.com>", "--commit"]).done();
    assert_eq!(team.last_commit().0, "Share crm with bob@example.com");
    assert!(team.read("connectors/crm/connector.yaml").contains("owner: alice@example.com\nsharedWith: [bob@example.com]\n"));
    let ran = team.run(&["share", "crm", "bob@example.com", "--commit"]).done();
    assert!(ran.out.starts_with("bob@example.com may edit crm already"), "{}", ran.out);
    team.run(&["share", "crm", "bob@example.com", "--remove", "--commit"]).done();
    assert_eq!(team.last_commit().0, "Stop sharing crm with bob@example.com");
    let after = team.read("connectors/crm/connector.yaml");
    assert!(after == before || after == before.replace("\nowner: alice@example.com\n", "\nowner: alice@example.com\nsharedWith: []\n"));
}

#[test]
fn only_addresses_are_people() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas"]).done();
    let ran = team.run(&["share", "crm", "bob"]).two();
    assert!(ran.err.contains("`bob` is not an address"), "{}", ran.err);
}

#[test]
fn nothing_is_edited_while_another_git_is_at_work() {
    let team = Team::with_crm();
    let before = team.read("connectors/crm/connector.yaml");
    team.write(".git/index.lock", "");
    let ran = team.run(&["share", "crm", "bob@example.com", "--commit"]).failed();
    assert!(ran.err.contains("another git process holds") && ran.err.contains("index.lock"), "{}", ran.err);
    assert_eq!(team.read("connectors/crm/connector.yaml"), before);
}
