//! `schema` prints or writes the JSON Schemas.

use crate::support::command::Team;

#[test]
fn schemas_are_listed_printed_and_written() {
    let team = Team::new();
    assert!(team.run(&["schema"]).done().out.starts_with("connector\nsuite\n"));
    let printed = team.run(&["schema", "connector"]).done();
    assert_eq!(printed.json()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    team.run(&["schema", "--write", "elsewhere"]).done();
    assert_eq!(team.read("elsewhere/connector.schema.json"), printed.out);
    assert_eq!(team.read("schemas/connector.schema.json"), printed.out, "`init` writes the same");
    let ran = team.run(&["schema", "conector"]).two();
    assert!(ran.err.contains("There are: connector, suite"), "{}", ran.err);
}
