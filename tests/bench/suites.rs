//! How fast suites run: many mocked cases, isolation included, beside tools that send the same requests to a server on loopback and assert
//! the same of the answers; and one case alone, from command to exit.

mod peers;
mod work;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::tempdir;

use self::work::{CASES, Case};
use crate::generate::SETTINGS;
use crate::http::{Answer, Received, Service};
use crate::program::{switchboard, timed};
use crate::table::{Table, median};

const CONNECTORS: usize = 50;
const ROUNDS: usize = 7;
/// How many rounds the peers take part in that take seconds.
const SLOW_ROUNDS: usize = 3;

/// All suites beside the peers, which take turns with us; and a single case.
pub fn tests(table: &mut Table) -> Result<()> {
    single(table)?;
    let folder = tempdir()?;
    let team = folder.path().join("team");
    write(&team, CONNECTORS, CASES)?;
    ensure_passed(&team, CONNECTORS * CASES)?;
    let service = Service::start(answer);
    let peers = peers::prepare(&folder.path().join("peers"), &service)?;
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); peers.len()];
    for round in 0..ROUNDS {
        ours.push(tested(&team)?);
        for (peer, times) in peers.iter().zip(&mut theirs) {
            if let Some(command) = peer.command.as_ref().filter(|_| round < peer.rounds) {
                times.push(timed(&mut command())?.wall);
            }
        }
    }
    let ours = median(ours);
    table.time(format!("`test`: {} mocked cases over {CONNECTORS} connectors", CONNECTORS * CASES), ours, None);
    for (peer, times) in peers.iter().zip(theirs) {
        let what = format!("… beside {} with the same requests and assertions", peer.name);
        if times.is_empty() {
            table.row(
                what,
                "not measured: it is not on this machine (tests/bench/peers.sh installs it)",
                format!(">= {}x", peer.aim),
                None,
            );
        } else {
            table.ratio(what, ours, median(times), peer.aim);
        }
    }
    Ok(())
}

/// One case of one connector.
fn single(table: &mut Table) -> Result<()> {
    let folder = tempdir()?;
    write(folder.path(), 1, 1)?;
    ensure_passed(folder.path(), 1)?;
    let times = (0..ROUNDS * 3).map(|_| tested(folder.path())).collect::<Result<Vec<_>>>()?;
    table.time("`test`: a single case, from command to exit", median(times), Some(Duration::from_millis(50)));
    Ok(())
}

/// How long `test` takes, which runs everything: there is no state in which anything would be kept.
fn tested(team: &Path) -> Result<Duration> {
    Ok(timed(test(team).arg("test"))?.wall)
}

fn test(team: &Path) -> Command {
    switchboard(team, &team.join(".git/no-state"))
}

/// All cases must pass: only then are they worth being measured.
fn ensure_passed(team: &Path, cases: usize) -> Result<()> {
    let output = test(team).args(["test", "--output", "json"]).output()?;
    let tested: serde_json::Value = serde_json::from_slice(&output.stdout).context("`test` tells no JSON")?;
    ensure!(tested["passed"] == cases, "not all cases passed: {tested:#}");
    Ok(())
}

/// A team's working files, with so many cases for each connector.
fn write(team: &Path, connectors: usize, cases: usize) -> Result<()> {
    git2::Repository::init(team)?;
    fs::write(team.join("switchboard.yaml"), SETTINGS)?;
    for index in 0..connectors {
        let home = team.join("connectors").join(work::name(index));
        fs::create_dir_all(home.join("tests"))?;
        fs::write(home.join("connector.yaml"), work::manifest(index))?;
        fs::write(home.join("tests/orders.yaml"), work::suite(index, &work::cases(index)[..cases]))?;
    }
    Ok(())
}

/// What the peers are answered: what our cases mock, and what was asked, so that they can assert it.
fn answer(request: &Received) -> Answer {
    let asked = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let Some(case) = Case::of_path(request.path()) else { return Answer::status(500) };
    let mut body = case.answer;
    if let (Some(body), Ok(sent)) = (body.as_object_mut(), serde_json::from_slice(&request.body)) {
        body.insert("asked".to_owned(), sent);
    }
    Answer::status(case.status)
        .with_json(body)
        .header("x-method", &request.method)
        .header("x-path", request.path())
        .header("x-trace", asked("x-trace"))
        .header("x-token", asked("authorization"))
}

/// A peer at work on its own files.
struct Peer {
    name: &'static str,
    /// How many times as fast we are to be.
    aim: f64,
    rounds: usize,
    command: Option<Box<dyn Fn() -> Command>>,
}
