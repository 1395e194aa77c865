//! The README tells what is so: its stages are the code's, its commands exist, its links lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use switchboard::model::Stage;

use crate::support::command::Team;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn the_table_of_stages_is_the_codes() {
    let readme = readme();
    for stage in Stage::ALL {
        let operations: Vec<String> = stage.operations().iter().map(ToString::to_string).collect();
        let row = format!("| {stage} | {} |", operations.join(", "));
        assert!(readme.contains(&row), "the README has no row that begins {row}");
    }
}

#[test]
fn the_commands_exist() {
    let readme = readme();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("$ switchboard "));
    let inline = readme.split('`').filter_map(|code| code.strip_prefix("switchboard ")).filter(|code| !code.starts_with('-'));
    let commands: BTreeSet<&str> = lines.chain(inline).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let ran = Command::new(env!("CARGO_BIN_EXE_switchboard")).args([command, "--help"]).output().unwrap();
        assert!(ran.status.success(), "there is no `switchboard {command}`: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn links_lead_to_files_that_exist() {
    for file in ["README.md", "CHANGELOG.md", "examples/service/README.md", "examples/gallery/README.md"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
        for target in targets.filter(|target| !target.starts_with("https://")) {
            let path = root().join(file).parent().unwrap().join(target);
            assert!(path.exists(), "{file} links to {target}, which does not exist");
        }
    }
}

#[test]
fn the_suite_proves_a_new_connector_and_shows_what_the_readme_says() {
    let readme = readme();
    let section = readme.split_once("\n## Tests\n").expect("a section on tests").1;
    let suite = section.split_once("```yaml\n").expect("a suite").1.split_once("```").unwrap().0;
    let shown = section.split_once("```console\n").expect("its run").1.split_once("```").unwrap().0;
    let team = Team::new();
    team.run(&["new", "weather", "--kind", "saas"]).done();
    team.write("connectors/weather/tests/get-item.yaml", suite);
    assert_eq!(team.run(&["validate"]).done().out, "1 connector: nothing wrong.\n");
    let ran = team.run(&["test", "weather"]).done().out;
    // Digests and times are others each time.
    let timeless = |line: &str| match line.rsplit_once(", ") {
        Some((start, time)) if time.ends_with("s)") => start.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    let lines = |text: &str| text.lines().skip_while(|line| !line.starts_with("  ")).map(timeless).collect::<Vec<_>>();
    assert_eq!(lines(&ran), lines(shown));
}
