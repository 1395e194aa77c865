//! `delete` removes a connector's folder, unless something in it would be lost.

use crate::support::command::Team;

#[test]
fn a_folder_goes_with_a_commit_of_its_own() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    let ran = team.run(&["delete", "crm", "--commit"]).done();
    assert!(ran.out.starts_with("Deleted connectors/crm (commit "), "{}", ran.out);
    assert!(ran.out.contains("`switchboard restore crm` brings it back"), "{}", ran.out);
    assert_eq!(team.last_commit().0, "Delete crm");
    assert!(!team.path("connectors/crm").exists());
    assert_eq!(team.dirty(), Vec::<String>::new());
}

#[test]
fn what_git_does_not_have_is_not_deleted_by_accident() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas"]).done();
    let ran = team.run(&["delete", "crm"]).failed();
    assert!(ran.err.contains("were never committed"), "{}", ran.err);
    assert!(team.path("connectors/crm/connector.yaml").exists());
    team.run(&["delete", "crm", "--force"]).done();
    assert!(!team.path("connectors/crm").exists());
}

#[test]
fn what_git_ignores_is_not_deleted_by_accident() {
    let team = Team::with_crm();
    team.write(".gitignore", ".switchboard/\n*.env\n");
    team.commit_all("Ignore more");
    team.write("connectors/crm/local/secret.env", "TOKEN=1");
    let ran = team.run(&["delete", "crm", "--commit"]).failed();
    assert!(ran.err.contains("git ignores connectors/crm/local/secret.env"), "{}", ran.err);
    assert_eq!(team.read("connectors/crm/local/secret.env"), "TOKEN=1");
    team.run(&["delete", "crm", "--commit", "--force"]).done();
    assert!(!team.path("connectors/crm").exists());
}

#[test]
fn a_name_cannot_lead_elsewhere() {
    let team = Team::new();
    for name in ["..", "../..", ".", "/etc"] {
        let ran = team.run(&["delete", name, "--force"]).two();
        assert!(ran.err.contains("there is no connector"), "{name}: {}", ran.err);
    }
    assert!(team.path("switchboard.yaml").exists());
}

#[test]
fn what_stands_in_a_connectors_place_is_no_deletion() {
    let team = Team::published();
    let folder = team.path("connectors/crm");
    std::fs::rename(&folder, team.path("elsewhere")).unwrap();
    for place in ["connectors/crm", "connectors"] {
        if place == "connectors" {
            std::fs::remove_file(&folder).unwrap();
            std::fs::remove_dir_all(team.path("connectors")).unwrap();
        }
        std::os::unix::fs::symlink("elsewhere", team.path(place)).unwrap();
        team.commit_all("A link");
        for lost in [false, true] {
            if lost {
                std::fs::remove_dir_all(team.path(".switchboard")).unwrap();
                team.run(&["rebuild"]);
            }
            let plan = team.run(&["plan", "--output", "json"]).json();
            assert_eq!(plan["steps"], serde_json::json!([]), "{place}");
        }
    }
}
