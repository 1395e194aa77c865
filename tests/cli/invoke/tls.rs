//! Services behind TLS, of authorities that the machine does not know.

use serde_json::json;

use super::{GET, SECRET, fault, team};
use crate::support::tls::Authority;

#[test]
fn a_private_authority_is_trusted_where_its_certificate_is_given() {
    let (team, authority) = (team(), Authority::named("ours"));
    let service = authority.service("localhost", &["h2"], r#"{"id":"item-1","name":"First"}"#);
    team.write("ours.pem", authority.pem());
    let mapping = format!("api.example.com={}", service.url("localhost", ""));
    let arguments = [&["invoke", "crm"], &GET[..], &["--map-host", &mapping]].concat();
    let run = |more: &[&str], variables: &[(&str, &str)]| {
        let variables = [&[("CONNECTION_CRM_TOKEN", SECRET)], variables].concat();
        team.run_with(&team.root(), &[&arguments[..], more].concat(), &variables)
    };
    let refused = fault(&run(&[], &[]).failed());
    assert_eq!((&refused["status"], refused["detail"].as_str().unwrap().contains("--ca-file")), (&json!(500), true), "{refused}");
    let output = json!({ "id": "item-1", "name": "First" });
    assert_eq!(run(&["--ca-file", "ours.pem"], &[]).done().json(), output);
    assert_eq!(run(&[], &[("SWITCHBOARD_CA_FILE", "ours.pem")]).done().json(), output);
    assert_eq!(service.seen().len(), 2);
    for (file, why) in [("none.pem", "No such file"), ("switchboard.yaml", "it holds no certificate in PEM")] {
        let ran = run(&["--ca-file", file], &[]).failed();
        let attempt = format!("cannot trust the authorities in {file}");
        assert!(ran.err.contains(&attempt) && ran.err.contains(why), "{}", ran.err);
    }
}
