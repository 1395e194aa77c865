//! How fast we are beside others at the same work, measured in the same run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use switchboard::model::Status;
use tempfile::tempdir;

use crate::generate;
use crate::program::{find, switchboard, timed};
use crate::table::{Table, median};

/// `validate` over 10,000 connectors and their suites, beside check-jsonschema over the same files. It knows the schemas alone:
/// no references, no flows, no rules.
pub fn validate(table: &mut Table) -> Result<()> {
    let Some(peer) = find("check-jsonschema") else {
        table.row("validate beside check-jsonschema", "not measured: it is not on this machine (tests/run installs it)", "", None);
        return Ok(());
    };
    const COUNT: usize = 10_000;
    let folder = tempdir()?;
    generate::write(folder.path(), COUNT, |_| Status::PrePublished)?;
    git2::Repository::init(folder.path())?;
    let ours: Vec<Duration> = (0..3)
        .map(|_| Ok(timed(switchboard(folder.path(), &folder.path().join(".git/state")).arg("validate"))?.wall))
        .collect::<Result<_>>()?;

    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let start = Instant::now();
    for (schema, file) in [("connector", "connector.yaml"), ("suite", "tests/orders.yaml")] {
        let files = (0..COUNT).map(|index| folder.path().join("connectors").join(generate::name(index)).join(file));
        let mut command = Command::new(&peer);
        command.arg("--schemafile").arg(schemas.join(format!("{schema}.schema.json"))).args(files);
        timed(&mut command)?;
    }
    table.ratio(format!("validate {COUNT} connectors, beside check-jsonschema"), median(ours), start.elapsed(), 50.0);
    Ok(())
}

/// The same work for Terraform: one `terraform_data` resource a connector, which holds the connector's manifest.
pub fn terraform(table: &mut Table) -> Result<()> {
    let Some(peer) = find("terraform") else {
        table.row("beside Terraform", "not measured: it is not on this machine", "", None);
        return Ok(());
    };
    const COUNT: usize = 2_000;
    let [ours, theirs] = [ours(COUNT)?, theirs(&peer, COUNT)?];
    let work = ["apply from nothing", "plan with no change", "apply of one change"];
    for (what, (ours, theirs)) in work.into_iter().zip(ours.into_iter().zip(theirs)) {
        table.ratio(format!("{what}, {COUNT} connectors, beside Terraform"), ours, theirs, 20.0);
    }
    Ok(())
}

fn ours(count: usize) -> Result<[Duration; 3]> {
    let folder = tempdir()?;
    let (team, state) = (folder.path().join("team.git"), folder.path().join("state"));
    let repository = generate::commit(&team, count, |_| Status::PrePublished)?;
    let apply = || Ok::<_, anyhow::Error>(timed(switchboard(&team, &state).arg("apply"))?.wall);
    let first = apply()?;
    let plans = (0..5).map(|_| Ok(timed(switchboard(&team, &state).args(["plan", "--detailed-exitcode"]))?.wall));
    let plan = median(plans.collect::<Result<_>>()?);
    let changes = (1..=5_u32).map(|revision| {
        generate::change(&repository, revision as usize, revision, Status::PrePublished)?;
        apply()
    });
    Ok([first, plan, median(changes.collect::<Result<_>>()?)])
}

fn theirs(terraform: &Path, count: usize) -> Result<[Duration; 3]> {
    let folder = tempdir()?;
    let file = folder.path().join("main.tf");
    fs::write(&file, resources(count, 0)?)?;
    let run = |arguments: &[&str]| {
        let mut command = Command::new(terraform);
        command.current_dir(folder.path()).args(arguments).env("CHECKPOINT_DISABLE", "1");
        timed(&mut command).map(|cost| cost.wall)
    };
    run(&["init", "-input=false"])?;
    let apply = || run(&["apply", "-auto-approve", "-input=false"]);
    let first = apply()?;
    let plan = median((0..3).map(|_| run(&["plan", "-detailed-exitcode", "-input=false"])).collect::<Result<_>>()?);
    let changes = (1..=3_u32).map(|revision| {
        fs::write(&file, resources(count, revision)?)?;
        apply()
    });
    Ok([first, plan, median(changes.collect::<Result<_>>()?)])
}

/// One resource a connector; the first one is of the given revision.
fn resources(count: usize, revision: u32) -> Result<String> {
    let mut text = String::new();
    for index in 0..count {
        let files = generate::connector(index, if index == 0 { revision } else { 0 }, Status::PrePublished);
        let manifest = String::from_utf8(files.get("connector.yaml").context("no manifest")?.clone())?;
        let manifest = manifest.replace("${", "$${");
        let name = generate::name(index);
        write!(text, "resource \"terraform_data\" \"{name}\" {{\n  input = <<-EOT\n{manifest}\nEOT\n}}\n")?;
    }
    Ok(text)
}
