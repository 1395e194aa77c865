//! `validate` finds every problem in every file.

use crate::support::command::Team;

fn with_two() -> Team {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas"]).done();
    team.run(&["new", "mail", "--kind", "saas"]).done();
    team
}

#[test]
fn every_problem_of_every_file_is_told_with_its_place() {
    let team = with_two();
    team.replace("connectors/crm/connector.yaml", "title: Crm", "titel: Crm");
    team.replace("connectors/mail/tests/get-item.yaml", "action: get-item", "action: 7");
    let ran = team.run(&["validate"]).failed();
    assert!(ran.out.contains("connectors/crm/connector.yaml:4:1: error[SB020]: unknown key `titel`"), "{}", ran.out);
    assert!(ran.out.contains("    4 | titel: Crm\n      | ^\n"), "{}", ran.out);
    assert!(ran.out.contains("connectors/mail/tests/get-item.yaml:"), "{}", ran.out);
    assert!(ran.out.lines().last().unwrap().starts_with("2 connectors: "), "{}", ran.out);
    assert_eq!(ran.err, "");
}

#[test]
fn what_is_wrong_with_a_suite_hides_nothing_of_the_flows() {
    let team = with_two();
    team.replace("connectors/crm/connector.yaml", "method: get", "method: gett");
    team.replace("connectors/crm/tests/get-item.yaml", "action: get-item", "action: 7");
    let ran = team.run(&["validate", "crm"]).failed();
    assert!(ran.out.contains("connectors/crm/tests/get-item.yaml:") && ran.out.contains("Did you mean `get`?"), "{}", ran.out);
}

#[test]
fn json_is_a_contract() {
    let team = with_two();
    team.replace("connectors/crm/connector.yaml", "title: Crm", "titel: Crm");
    let json = team.run(&["validate", "crm", "--output", "json"]).failed().json();
    assert_eq!(json["connectors"], 1);
    let unknown = json["problems"].as_array().unwrap().iter().find(|problem| problem["code"] == "SB020").unwrap();
    assert_eq!((unknown["line"].as_u64(), unknown["column"].as_u64()), (Some(4), Some(1)));
    assert_eq!(unknown["severity"], "error");
    assert_eq!(unknown["file"], "connectors/crm/connector.yaml");
}

#[test]
fn one_connector_can_be_chosen_and_a_slip_is_noticed() {
    let team = with_two();
    team.replace("connectors/crm/connector.yaml", "title: Crm", "titel: Crm");
    assert_eq!(team.run(&["validate", "mail"]).done().out, "1 connector: nothing wrong.\n");
    let ran = team.run(&["validate", "mial"]).two();
    assert!(ran.err.contains("hint: Did you mean `mail`?"), "{}", ran.err);
}

#[test]
fn a_commit_can_be_validated_whatever_the_working_files_hold() {
    let team = with_two();
    team.commit_all("Add two");
    team.replace("connectors/crm/connector.yaml", "title: Crm", "titel: Crm");
    assert_eq!(team.run(&["validate", "--rev", "HEAD"]).done().out, "2 connectors: nothing wrong.\n");
    let ran = team.run(&["validate", "--rev", "nonsense"]).two();
    assert!(ran.err.contains("there is no commit of that name"), "{}", ran.err);
}

#[test]
fn a_commit_is_validated_with_everything_that_is_read_of_it() {
    let team = Team::published();
    team.write("connections/test/crm.yaml", "token: { env: CRM_TOKEN }\n");
    team.commit_all("Good values");
    assert_eq!(team.run(&["validate", "--rev", "HEAD"]).done().out, "1 connector: nothing wrong.\n");
    team.write("connections/test/crm.yaml", "token: { evn: CRM_TOKEN }\n");
    team.write("releases/crm/9.0.0.yaml", "not: a record\n");
    std::os::unix::fs::symlink("crm", team.path("connectors/erp")).unwrap();
    std::os::unix::fs::symlink("0.1.0.yaml", team.path("releases/crm/0.2.0.yaml")).unwrap();
    std::fs::remove_file(team.path("switchboard.yaml")).unwrap();
    team.commit_all("Bad ones");
    let ran = team.run(&["validate", "--rev", "HEAD"]).failed();
    for part in [
        "connections/test/crm.yaml:1:",
        "releases/crm/9.0.0.yaml:1:1: error[",
        "connectors/erp:1:1: error[SB040]: a symbolic link where a folder belongs",
        "releases/crm/0.2.0.yaml:1:1: error[SB040]: a symbolic link where a file belongs",
        "switchboard.yaml:1:1: warning[SB042]",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing:\n{}", ran.out);
    }
}

#[test]
fn other_files_count_too() {
    let team = with_two();
    team.replace("switchboard.yaml", "atMost: 5", "atMots: 5");
    let ran = team.run(&["validate"]).failed();
    assert!(ran.out.contains("switchboard.yaml:"), "{}", ran.out);
    std::fs::remove_file(team.path("switchboard.yaml")).unwrap();
    let ran = team.run(&["validate"]).done();
    assert!(ran.out.contains("warning[SB042]: there is no switchboard.yaml"), "{}", ran.out);
}

#[test]
fn hostile_folders_are_problems_and_no_more() {
    let team = with_two();
    std::os::unix::fs::symlink("/etc/passwd", team.path("connectors/crm/icon.svg")).unwrap();
    team.write("connectors/mail/connector.yaml", [0xff, 0xfe]);
    team.write("connectors/Empty/x", "");
    let ran = team.run(&["validate"]).failed();
    assert!(ran.out.contains("icon.svg: a symbolic link where a file belongs"), "{}", ran.out);
    assert!(ran.out.contains("connectors/mail/connector.yaml:1:1: error[SB001]"), "{}", ran.out);
    assert!(ran.out.contains("connectors/Empty/connector.yaml"), "{}", ran.out);
    assert!(!ran.out.contains("root:"), "{}", ran.out);
}

#[test]
fn what_would_be_refused_in_a_commit_is_refused_before_it() {
    let team = with_two();
    team.write("connectors/crm/picture.png", vec![0; 3 << 19]);
    team.write("connectors/mail/1/2/3/4/5/6/7/8/deep.txt", "x");
    team.commit_all("Too much");
    for arguments in [&["validate"][..], &["validate", "--rev", "HEAD"]] {
        let ran = team.run(arguments).failed();
        assert!(ran.out.contains("picture.png: the file has 1572864 bytes, the limit is 1048576 (1 MiB)"), "{}", ran.out);
        assert!(ran.out.contains("1/2/3/4/5/6/7/8: more than 8 folders deep"), "{}", ran.out);
    }
}

#[test]
fn what_a_terminal_would_obey_is_a_problem_and_is_not_printed() {
    let team = with_two();
    team.replace("connectors/crm/connector.yaml", "title: Crm", "title: Crm \u{202E}mrc");
    team.replace("connectors/mail/connector.yaml", "title: Mail", "title: \"\\e[2JMail\"");
    let ran = team.run(&["validate"]).failed();
    assert!(ran.out.contains("connectors/crm/connector.yaml:4:12: error[SB016]: the direction character U+202E"), "{}", ran.out);
    assert!(ran.out.contains("    4 | title: Crm \u{fffd}mrc\n      |            ^\n"), "{}", ran.out);
    assert!(ran.out.contains("connectors/mail/connector.yaml:4:8: error[SB016]: `title` holds U+001B"), "{}", ran.out);
    assert!(!ran.out.contains(['\u{202E}', '\u{1b}']), "{}", ran.out);
}

#[test]
fn files_that_git_ignores_are_not_read() {
    let team = with_two();
    team.write(".gitignore", ".switchboard/\n*.swp\n");
    std::os::unix::fs::symlink("/etc/passwd", team.path("connectors/crm/x.swp")).unwrap();
    team.run(&["validate"]).done();
}

#[test]
fn what_a_link_leads_to_is_not_read() {
    let team = Team::with_crm();
    std::fs::write(team.outside().join("secret"), "password: hunter2\n").unwrap();
    std::fs::remove_file(team.path("switchboard.yaml")).unwrap();
    std::os::unix::fs::symlink(team.outside().join("secret"), team.path("switchboard.yaml")).unwrap();
    std::fs::create_dir_all(team.path("releases/crm")).unwrap();
    std::os::unix::fs::symlink(team.outside().join("secret"), team.path("releases/crm/1.0.0.yaml")).unwrap();
    std::os::unix::fs::symlink(team.outside(), team.path("releases/erp")).unwrap();
    let ran = team.run(&["validate"]).failed();
    assert!(ran.out.contains("switchboard.yaml:1:1: error[SB040]: a symbolic link where a file belongs"), "{}", ran.out);
    assert!(ran.out.contains("releases/crm/1.0.0.yaml:1:1: error[SB040]: a symbolic link where a file belongs"), "{}", ran.out);
    assert!(ran.out.contains("releases/erp:1:1: error[SB040]: a symbolic link where a folder belongs"), "{}", ran.out);
    assert!(!ran.out.contains("hunter2") && !ran.out.contains("password"), "{}", ran.out);

    std::fs::remove_file(team.path("connectors/crm/connector.yaml")).unwrap();
    std::os::unix::fs::symlink(team.outside().join("secret"), team.path("connectors/crm/connector.yaml")).unwrap();
    let ran = team.run(&["edit", "crm", "--set", "title=Else"]).failed();
    assert!(ran.err.contains("connector.yaml is a symbolic link"), "{}", ran.err);
}

#[test]
fn values_of_connections_are_read_too() {
    let team = Team::with_crm();
    team.write("connections/test/crm.yaml", "token: { env: CRM_TOKEN }\n");
    team.run(&["validate"]).done();
    team.write("connections/test/crm.yaml", "token: { evn: CRM_TOKEN }\n");
    let ran = team.run(&["validate"]).failed();
    assert!(ran.out.contains("connections/test/crm.yaml:1:"), "{}", ran.out);
}

#[test]
fn values_of_connections_are_held_against_the_manifest() {
    let team = Team::with_crm();
    team.write("connections/test/crm.yaml", "token: hush-hush\nbaseURL: https://api.example.com\n");
    team.write("connections/test/nobody.yaml", "token: { env: A }\n");
    team.commit_all("Values");
    for source in [&[][..], &["--rev", "HEAD"]] {
        let ran = team.run(&[&["validate"], source].concat()).failed();
        assert!(ran.out.contains("connections/test/crm.yaml:1:8: error[SB154]: the secret `token` is given openly"), "{}", ran.out);
        assert!(ran.out.contains("connections/test/crm.yaml:2:1: error[SB151]") && ran.out.contains("`baseUrl`?"), "{}", ran.out);
        assert!(ran.out.ends_with("1 connector: 2 errors.\n") && !ran.out.contains("hush"), "{}", ran.out);
    }
    team.write("connections/test/crm.yaml", "token: { env: CRM_TOKEN }\n");
    team.run(&["validate"]).done();
}

#[test]
fn a_secret_that_could_be_shown_is_a_warning_and_blocks_nothing() {
    let team = Team::with_crm();
    let manifest = "connectors/crm/connector.yaml";
    team.replace(manifest, "{ id, name }", "{ id, name, key: ($connection.token | @base64) }");
    let line = 1 + team.read(manifest).lines().position(|line| line.contains("@base64")).unwrap();
    let ran = team.run(&["validate"]).done();
    let told = format!(
        "{manifest}:{line}:17: warning[SB221]: the secret `token` can reach the output of the action `get-item`, where it is redacted"
    );
    assert!(ran.out.contains(&told) && ran.out.contains("hint: Keep secrets to requests"), "{}", ran.out);
    assert!(ran.out.ends_with("1 connector: 1 warning.\n"), "{}", ran.out);
    assert!(team.run(&["explain", "SB221"]).done().out.starts_with("SB221: secret that can reach what is shown\n"));
}
