//! What other programs show of tests: formats of the result, and reports in files beside it.

use crate::support::command::Team;

#[test]
fn the_result_can_be_a_report() {
    let team = Team::with_crm();
    team.replace("connectors/crm/tests/get-item.yaml", "name: First item }", "name: Second item }");
    let junit = team.run(&["test", "--output", "junit"]).failed().out;
    assert!(
        junit.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"switchboard\" tests=\"5\" failures=\"1\""),
        "{junit}"
    );
    assert!(junit.contains("file=\"connectors/crm/tests/get-item.yaml\" line=\"6\""), "{junit}");
    let github = team.run(&["test", "--output", "github"]).failed().out;
    assert!(github.starts_with("::error file=connectors/crm/tests/get-item.yaml,line=18,col=7,title=Items › Reads an item::"), "{github}");
    assert!(github.ends_with("\n::notice title=Tests::4 passed, 1 failed in 1 connector\n"), "{github}");
    let markdown = team.run(&["test", "--output", "markdown"]).failed().out;
    assert!(markdown.starts_with("### ❌ Tests: 4 passed, 1 failed\n\n| | Connector |"), "{markdown}");
}

#[test]
fn other_commands_refuse_reports() {
    let team = Team::with_crm();
    for format in ["junit", "github", "markdown"] {
        let ran = team.run(&["list", "--output", format]).two();
        assert!(ran.err.contains("only `test` has reports in junit, github and markdown"), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn reports_are_written_to_files_beside_the_result() {
    let team = Team::with_crm();
    team.replace("connectors/crm/tests/get-item.yaml", "name: First item }", "name: Second item }");
    team.write("old.md", "an older report");
    let ran = team.run(&["test", "--report", "junit=out/deep/tests.xml", "--report", "markdown=old.md", "--report=json=all.json"]).failed();
    assert!(ran.out.ends_with("4 passed, 1 failed in 1 connector.\n"), "{}", ran.out);
    assert!(team.read("out/deep/tests.xml").contains("<failure "));
    assert!(team.read("old.md").starts_with("### ❌ Tests: 4 passed, 1 failed\n"));
    let json: serde_json::Value = serde_json::from_str(&team.read("all.json")).unwrap();
    assert_eq!(json["failed"], 1);
    assert_eq!(std::fs::read_dir(team.path("out/deep")).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure_beside_the_result() {
    let team = Team::with_crm();
    let ran = team.run(&["test", "--report", "junit=connectors"]).failed();
    assert!(ran.out.contains("5 passed") && ran.err.contains("cannot write the report connectors"), "{ran:?}");
    for (wrong, why) in [("tests.xml", "expected FORMAT=FILE"), ("sarif=x", "there is no format `sarif`"), ("junit=", "expected a file")] {
        let ran = team.run(&["test", "--report", wrong]).two();
        assert!(ran.err.contains(why), "{}", ran.err);
    }
}
