//! `invoke` runs one action of a connector, its test connection, or one of its triggers.

mod bell;
mod poll;
mod secrets;
mod tls;
mod trace;
mod values;
mod webhook;

use serde_json::{Value, json};

use crate::support::command::{Ran, Team};
use crate::support::http::{Answer, Service};

const MANIFEST: &str = "connectors/crm/connector.yaml";
const SECRET: &str = "t0p s3cret/42";

/// A team whose connector has its token from a variable, in both environments.
fn team() -> Team {
    let team = Team::with_crm();
    for environment in ["test", "production"] {
        team.write(&format!("connections/{environment}/crm.yaml"), "token: { env: CONNECTION_CRM_TOKEN }\n");
    }
    team
}

/// Runs `invoke` with the token in its environment, and requests for the connector's host sent to the service.
fn invoke(team: &Team, service: &Service, arguments: &[&str]) -> Ran {
    let mapping = format!("api.example.com={}", service.url(""));
    let arguments = [&["invoke", "crm"], arguments, &["--map-host", &mapping]].concat();
    team.run_with(&team.root(), &arguments, &[("CONNECTION_CRM_TOKEN", SECRET)])
}

const GET: [&str; 5] = ["get-item", "--input", r#"{"id":"item-1"}"#, "--environment", "test"];

#[track_caller]
fn fault(ran: &Ran) -> Value {
    let last = ran.err.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {}", ran.err))
}

#[test]
fn an_action_runs_with_the_values_of_an_environment() {
    let service = Service::always(Answer::json(json!({ "id": "item-1", "name": "First", "more": 1 })));
    let (team, arguments) = (team(), ["get-item", "--input", "@input.json", "--environment", "test"]);
    team.write("input.json", r#"{"id":"item-1"}"#);
    let ran = invoke(&team, &service, &arguments).done();
    assert_eq!((ran.json(), ran.err.as_str()), (json!({ "id": "item-1", "name": "First" }), ""));
    let request = service.request();
    let bearer = format!("Bearer {SECRET}");
    assert_eq!((request.path(), request.header("authorization")), ("/items/item-1", Some(bearer.as_str())));
}

#[test]
fn a_connection_is_tested() {
    let service = Service::scripted([Answer::json(json!({ "id": 1 })), Answer::status(401).with_json(json!({ "message": SECRET }))]);
    let (team, arguments) = (team(), ["--test-connection", "--environment", "test"]);
    assert_eq!(invoke(&team, &service, &arguments).done().json(), json!({ "id": 1 }));
    for format in ["human", "json"] {
        let ran = invoke(&team, &service, &[&arguments[..], &["--output", format]].concat()).failed();
        // The script's second answer says that the token is bad; what follows is no answer to a test connection.
        let expected = if format == "human" { 401 } else { 500 };
        assert_eq!(serde_json::from_str::<Value>(&ran.err).unwrap()["status"], expected, "{}", ran.err);
        assert_eq!(ran.out, "");
    }
    let (before, after) = ("  test:\n    do:\n      - whoAmI: ", "\n\n# What it can do.");
    let manifest = team.read(MANIFEST);
    let (start, end) = (manifest.find(before).unwrap(), manifest.find(after).unwrap());
    team.write(MANIFEST, format!("{}{}", &manifest[..start], &manifest[end..]));
    let ran = invoke(&team, &service, &arguments).failed();
    assert!(ran.err.contains("cannot test the connection of crm: it has no test connection"), "{}", ran.err);
}

#[test]
fn what_cannot_be_invoked_is_refused() {
    let (team, service) = (team(), Service::always(Answer::json(json!({}))));
    let ran = invoke(&team, &service, &["get-itm"]).two();
    assert!(ran.err.contains("crm has no action `get-itm`") && ran.err.contains("Did you mean `get-item`?"), "{}", ran.err);
    let ran = team.run(&["invoke", "cmr", "get-item"]).two();
    assert!(ran.err.contains("Did you mean `crm`?"), "{}", ran.err);
    let ran = team.run(&["invoke", "crm"]).two();
    assert!(ran.err.contains("<ACTION>"), "{}", ran.err);
    for flag in ["--listen", "--reset"] {
        let ran = invoke(&team, &service, &["get-item", flag]).two();
        assert!(ran.err.contains("cannot be used with"), "{flag}: {}", ran.err);
    }
    let ran = invoke(&team, &service, &["get-item", "--environment", "tset"]).two();
    assert!(ran.err.contains("there is no environment `tset`") && ran.err.contains("Did you mean `test`?"), "{}", ran.err);
    team.replace(MANIFEST, "    group: Items\n", "    group: Items\n    visibility: private\n");
    let ran = invoke(&team, &service, &GET).failed();
    assert!(ran.err.contains("the action is private"), "{}", ran.err);
    team.replace(MANIFEST, "actions:\n", "actions:\n  later: { title: Later }\n");
    let ran = invoke(&team, &service, &["later"]).failed();
    assert!(ran.err.contains("the action has no flow yet"), "{}", ran.err);
    team.replace(MANIFEST, "title: Later", "titel: Later");
    let ran = invoke(&team, &service, &["later", "--output", "json"]).failed();
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert!(error["error"]["reason"].as_str().unwrap().contains("error[SB020]: unknown key `titel`"), "{error}");
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn inputs_and_outputs_fit_their_schemas_or_the_run_ends() {
    let service = Service::always(Answer::json(json!({ "id": 7, "name": "First" })));
    let team = team();
    let ran = invoke(&team, &service, &["get-item", "--input", r#"{"id":""}"#, "--environment", "test"]).failed();
    let wrong = fault(&ran);
    assert_eq!(wrong["type"], "https://open-workflow-specification.org/spec/1.0.0/errors/validation");
    assert_eq!(wrong["status"], 400);
    assert!(wrong["detail"].as_str().unwrap().starts_with("the input does not fit its schema: /id: "), "{wrong}");
    assert_eq!(service.requests().len(), 0, "nothing was sent");
    let wrong = fault(&invoke(&team, &service, &GET).failed());
    assert_eq!(wrong["detail"], r#"the output does not fit its schema: /id: 7 is not of type "string""#);
}

#[test]
fn a_path_without_one_of_its_values_is_not_sent() {
    let service = Service::always(Answer::json(json!({ "id": "all", "name": "Everything" })));
    let team = team();
    for input in ["{}", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"itemId":"item-1"}"#] {
        let wrong = fault(&invoke(&team, &service, &["get-item", "--input", input, "--environment", "production"]).failed());
        assert_eq!(wrong["type"], "https://open-workflow-specification.org/spec/1.0.0/errors/expression", "{input}: {wrong}");
        assert!(wrong["detail"].as_str().unwrap().contains("`{id}` of the path"), "{input}: {wrong}");
    }
    assert_eq!(service.requests().len(), 0, "nothing was sent");
}

#[test]
fn in_production_what_does_not_fit_is_a_warning_unless_it_says_otherwise() {
    let service = Service::always(Answer::json(json!({ "id": 7, "name": "First" })));
    let team = team();
    let arguments = ["get-item", "--input", r#"{"id":"item-1","more":1}"#, "--environment", "production"];
    let ran = invoke(&team, &service, &arguments).done();
    assert_eq!(ran.json(), json!({ "id": 7, "name": "First" }));
    assert!(ran.err.contains("warning: the input does not fit its schema: "), "{}", ran.err);
    assert!(ran.err.contains(r#"warning: the output does not fit its schema: /id: 7 is not of type "string""#), "{}", ran.err);
    let ran = invoke(&team, &service, &[&arguments[..], &["--output", "json"]].concat()).done();
    let warnings: Vec<Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(warnings.len() == 2 && warnings.iter().all(|line| line["warning"].is_string()), "{}", ran.err);
    team.replace("switchboard.yaml", "production: true", "production: true, validation: strict");
    assert_eq!(fault(&invoke(&team, &service, &arguments).failed())["status"], 400);
    team.replace("switchboard.yaml", "test: {}", "test: { validation: warn }");
    invoke(&team, &service, &GET).done();
}

#[test]
fn a_hostile_schema_ends_in_a_timeout() {
    let team = team();
    team.replace(MANIFEST, "minLength: 1", r#"pattern: "^(a+)+(?!b)$""#);
    let input = format!(r#"{{"id":"{}!"}}"#, "a".repeat(60));
    let service = Service::always(Answer::json(json!({})));
    let ran = invoke(&team, &service, &["get-item", "--input", &input, "--environment", "test", "--evaluation-time", "500ms"]).failed();
    assert!(fault(&ran)["status"] == 408 || ran.err.contains("does not fit its schema"), "{}", ran.err);
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn only_hosts_of_the_connection_are_reached() {
    let (team, service) = (team(), Service::always(Answer::json(json!({}))));
    team.write("connections/test/crm.yaml", "token: { env: CONNECTION_CRM_TOKEN }\nbaseUrl: https://evil.example.com\n");
    let ran = invoke(&team, &service, &[&GET[..], &["--map-host", &format!("evil.example.com={}", service.url(""))]].concat()).failed();
    assert!(fault(&ran)["detail"].as_str().unwrap().contains("does not allow the host `evil.example.com`"), "{}", ran.err);
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn private_addresses_are_reached_where_the_environment_or_the_command_allows_it() {
    let (team, service) = (team(), Service::always(Answer::json(json!({ "id": "a", "name": "b" }))));
    team.replace(MANIFEST, "hosts: [api.example.com]", "hosts: [api.example.com, 127.0.0.1]");
    team.write("connections/test/crm.yaml", format!("token: {{ env: CONNECTION_CRM_TOKEN }}\nbaseUrl: {}\n", service.url("")));
    let run = |more: &[&str]| {
        let arguments = [&["invoke", "crm"], &GET[..], more].concat();
        team.run_with(&team.root(), &arguments, &[("CONNECTION_CRM_TOKEN", SECRET)])
    };
    let refused = fault(&run(&[]).failed());
    assert!(refused["detail"].as_str().unwrap().contains("a loopback address, which is not allowed"), "{refused}");
    assert_eq!(service.requests().len(), 0);
    run(&["--allow-private"]).done();
    team.replace("switchboard.yaml", "test: {}", "test: { allowPrivateAddresses: true }");
    run(&[]).done();
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn what_runs_is_the_working_files_or_a_commit() {
    let (team, service) = (team(), Service::always(Answer::json(json!({ "id": "a", "name": "b" }))));
    team.commit_all("Connections");
    team.replace(MANIFEST, "path: /items/{id}", "path: /things/{id}");
    let paths = |arguments: &[&str]| {
        invoke(&team, &service, &[&GET[..], arguments].concat()).done();
        service.requests().last().unwrap().path().to_owned()
    };
    assert_eq!(paths(&[]), "/things/item-1");
    assert_eq!(paths(&["--working"]), "/things/item-1");
    assert_eq!(paths(&["--committed"]), "/items/item-1");
    assert_eq!(paths(&["--rev", "HEAD"]), "/items/item-1");
    invoke(&team, &service, &["get-item", "--committed", "--working"]).two();
    let bare = team.outside().join("bare.git");
    git2::build::RepoBuilder::new().bare(true).clone(team.root().to_str().unwrap(), &bare).unwrap();
    let mapping = format!("api.example.com={}", service.url(""));
    let arguments = [&["invoke", "crm"], &GET[..], &["--map-host", &mapping, "--repo", bare.to_str().unwrap()]].concat();
    team.run_with(team.outside(), &arguments, &[("CONNECTION_CRM_TOKEN", SECRET)]).done();
    assert_eq!(service.requests().last().unwrap().path(), "/items/item-1");
}

#[test]
fn without_required_properties_no_connection_is_needed() {
    let team = Team::new();
    team.run(&["new", "pure", "--kind", "saas"]).done();
    let manifest = "apiVersion: switchboard/v1
name: pure
title: Pure
description: Needs nothing.
kind: saas
status: editing
owner: alice@example.com
actions:
  greet:
    do: [ { greet: { set: { greeting: '${ \"Hello, \" + (.name // \"you\") }' } } } ]
";
    team.write("connectors/pure/connector.yaml", manifest);
    for suite in ["connection", "get-item"] {
        std::fs::remove_file(team.path(&format!("connectors/pure/tests/{suite}.yaml"))).unwrap();
    }
    assert_eq!(team.run(&["invoke", "pure", "greet"]).done().json(), json!({ "greeting": "Hello, you" }));
    assert_eq!(team.run(&["invoke", "pure", "greet", "--environment", "test"]).done().json(), json!({ "greeting": "Hello, you" }));
}
