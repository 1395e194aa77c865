//! Where the values of a connection come from, and what is wrong with them.

use serde_json::json;

use super::{GET, MANIFEST, SECRET, invoke, team};
use crate::support::command::Team;
use crate::support::http::{Answer, Service};

fn service() -> Service {
    Service::always(Answer::json(json!({ "id": "a", "name": "b" })))
}

#[test]
fn a_secret_may_stand_in_a_file_that_git_does_not_have() {
    let (team, service) = (team(), service());
    let outside = team.outside().join("mine.yaml");
    std::fs::write(&outside, format!("token: {SECRET}\n")).unwrap();
    let with = |file: &str| invoke(&team, &service, &["get-item", "--input", r#"{"id":"a"}"#, "--connection", file]);
    with(outside.to_str().unwrap()).done();
    assert_eq!(service.request().header("authorization").unwrap(), format!("Bearer {SECRET}"));

    team.write("mine.yaml", format!("token: {SECRET}\n"));
    let ran = with("mine.yaml").failed();
    assert!(ran.err.contains("mine.yaml:1:8: error[SB154]: the secret `token` is given openly"), "{}", ran.err);
    assert!(!ran.err.contains(SECRET) && ran.out.is_empty(), "{ran:?}");
    team.write(".gitignore", "mine.yaml\n");
    with("mine.yaml").done();

    team.write("connections/test/crm.yaml", format!("token: {SECRET}\n"));
    let ran = invoke(&team, &service, &GET).failed();
    assert!(ran.err.contains("connections/test/crm.yaml:1:8: error[SB154]") && !ran.err.contains(SECRET), "{}", ran.err);
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn values_come_from_files_too() {
    let (team, service) = (team(), service());
    team.write("connections/test/token", format!("{SECRET}\n"));
    team.write("secrets/token", format!("{SECRET}\n"));
    let elsewhere = team.outside().join("token");
    std::fs::write(&elsewhere, SECRET).unwrap();
    let outside = team.outside().display().to_string();
    let given = |file: &str, flags: &[&str]| {
        team.write("connections/test/crm.yaml", format!("token: {{ file: {file} }}\n"));
        invoke(&team, &service, &[&GET[..], flags].concat())
    };
    let elsewhere = elsewhere.to_str().unwrap();
    let ways =
        [("connections/test/token", &[][..]), ("secrets/token", &["--secret-dir", "secrets"]), (elsewhere, &["--secret-dir", &outside])];
    for (file, flags) in ways {
        given(file, flags).done();
        assert_eq!(service.requests().last().unwrap().header("authorization").unwrap(), format!("Bearer {SECRET}"));
    }
    std::os::unix::fs::symlink("../secrets/token", team.path("connections/link")).unwrap();
    for file in [
        "secrets/token",
        elsewhere,
        "/etc/passwd",
        "connections/../secrets/token",
        ".git/config",
        "/proc/self/environ",
        "/dev/zero",
        "connections/link",
    ] {
        let ran = given(file, &["--secret-dir", "connections/test"]).failed();
        let reason = "error[SB155]: the value of `token` cannot be looked up: the repository's file may not name the file";
        assert!(ran.err.contains(reason) && ran.err.contains("--secret-dir "), "{file}: {}", ran.err);
    }
    let own = team.outside().join("mine.yaml");
    std::fs::write(&own, format!("token: {{ file: {elsewhere} }}\n")).unwrap();
    invoke(&team, &service, &["get-item", "--input", r#"{"id":"a"}"#, "--connection", own.to_str().unwrap()]).done();
    for (file, reason) in [
        ("../token", "outside of the repository"),
        (".git/config", "no value of a connection"),
        ("/proc/self/environ", "no value of a connection"),
        (".switchboard/switchboard.db", "no value of a connection"),
        ("/dev/zero", "no value of a connection"),
        ("connections", "it is not a file"),
    ] {
        team.write(".switchboard/switchboard.db", "state");
        let ran = given(file, &["--secret-dir", "/"]).failed();
        assert!(ran.err.contains("error[SB155]") && ran.err.contains(reason), "{file}: {}", ran.err);
    }
}

#[test]
fn a_file_of_the_repository_names_variables_that_are_meant_for_it_or_allowed() {
    let (team, service) = (team(), service());
    let with = |name: &str, flags: &[&str], also: &[(&str, &str)]| {
        team.write("connections/test/crm.yaml", format!("token: {{ env: {name} }}\n"));
        let mapping = format!("api.example.com={}", service.url(""));
        let arguments = [&["invoke", "crm"], &GET[..], flags, &["--map-host", &mapping]].concat();
        team.run_with(&team.root(), &arguments, &[&[("AWS_SECRET", SECRET), ("CONNECTION_ERP_TOKEN", SECRET)], also].concat())
    };
    for name in ["AWS_SECRET", "CONNECTION_ERP_TOKEN", "HOME", "UNSET"] {
        let ran = with(name, &[], &[]).failed();
        let reason =
            format!("error[SB155]: the value of `token` cannot be looked up: the repository's file may not name the variable `{name}`");
        assert!(ran.err.contains(&reason), "{name}: {}", ran.err);
        let hint = format!("Call it `CONNECTION_CRM_…`, or allow it with `--secret-env {name}`, or SWITCHBOARD_SECRET_ENV");
        assert!(ran.err.contains(&hint), "{name}: {}", ran.err);
    }
    let ran = with("\"$(touch x)\"", &[], &[]).failed();
    assert!(ran.err.contains("--secret-env NAME"), "what is copied into a shell is harmless there: {}", ran.err);
    with("AWS_SECRET", &["--secret-env", "OTHER", "--secret-env", "AWS_SECRET"], &[]).done();
    with("AWS_SECRET", &["--secret-env", "AWS_*"], &[]).done();
    with("AWS_SECRET", &[], &[("SWITCHBOARD_SECRET_ENV", "OTHER,AWS_SECRET")]).done();
    assert_eq!(service.requests().len(), 3);
    let own = ("SWITCHBOARD_GIT_TOKEN", SECRET);
    let ran = with("SWITCHBOARD_GIT_TOKEN", &["--secret-env", "SWITCHBOARD_*"], &[own]).failed();
    assert!(ran.err.contains("one of Switchboard's own"), "{}", ran.err);
}

#[test]
fn what_is_wrong_with_values_is_told_all_at_once() {
    let (team, service) = (team(), service());
    team.replace(MANIFEST, "  authentication:", "    region: { title: Region, type: string, enum: [eu, us] }\n  authentication:");
    team.write("connections/test/crm.yaml", "token: { env: SWITCHBOARD_GIT_TOKEN }\nbaseURL: x\nregion: moon\n");
    let ran = invoke(&team, &service, &GET).failed();
    for part in [
        "connections/test/crm.yaml:1:8: error[SB155]: the value of `token` cannot be looked up: the variable `SWITCHBOARD_GIT_TOKEN` is one of",
        "connections/test/crm.yaml:2:1: error[SB151]: the connection has no property `baseURL`",
        "Did you mean `baseUrl`?",
        "connections/test/crm.yaml:3:9: error[SB152]: the value of `region` is not one that the property takes",
        r#"Expected is one of ["eu","us"]."#,
        "cannot invoke crm get-item: the files have 3 errors",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    team.write("connections/test/crm.yaml", "token: { env: CONNECTION_CRM_NOT_SET }\n");
    let ran = invoke(&team, &service, &GET).failed();
    assert!(ran.err.contains("the variable `CONNECTION_CRM_NOT_SET` is not set"), "{}", ran.err);
    assert!(ran.err.contains("error[SB153]: `region` has no value"), "{}", ran.err);
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn missing_values_are_asked_for() {
    let (team, service) = (Team::with_crm(), service());
    let ran = invoke(&team, &service, &["get-item"]).failed();
    assert!(ran.err.contains("cannot invoke crm get-item: the connection needs `token`"), "{}", ran.err);
    assert!(ran.err.contains("--connection FILE"), "{}", ran.err);
    let ran = invoke(&team, &service, &GET).failed();
    assert!(ran.err.contains("there is no connections/test/crm.yaml, and the connection needs `token`"), "{}", ran.err);
    assert!(ran.err.contains("Write that file; it gives a secret by reference"), "{}", ran.err);
    let ran = invoke(&team, &service, &["get-item", "--connection", "none.yaml"]).failed();
    assert!(ran.err.contains("none.yaml"), "{}", ran.err);
}

#[test]
fn an_optional_value_need_not_be_given() {
    let (team, service) = (team(), service());
    let arguments = ["get-item", "--input", r#"{"id":"a"}"#];
    let ran = invoke(&team, &service, &arguments).failed();
    assert!(ran.err.contains("the connection needs `token`"), "{}", ran.err);
    team.replace(MANIFEST, "secret: true", "secret: true\n      optional: true");
    invoke(&team, &service, &arguments).done();
    assert_eq!(service.request().header("authorization"), None);
}
