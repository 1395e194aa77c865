//! The flow engine: what a task costs, what reading a manifest costs, and requests through a worker against the same client without one.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use switchboard::flow::{Budget, Program, Response, Sending, Target, Unanswered, World};
use switchboard::harness::WorkersConfig;
use switchboard::harness::live::{Addresses, Ending, Files, HostMapping, Live, LiveRun, Network, Policy, RunLimits, Subject};
use switchboard::manifest::{Bundle, Validation};
use switchboard::model::BundleFiles;

use crate::http::{Answer, Service};
use crate::table::{Table, median, show};

const SETS: u32 = 90_000;
const REQUESTS: u32 = 1000;
const BRANCHES: u32 = 8;
const ROUNDS: usize = 7;

/// What a `set` task with a small expression costs, through `flow run` and its worker.
pub fn tasks(table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let run = |turns: u32| -> Result<Duration> {
        let file = folder.path().join("flow.yaml");
        let mut text = String::from("document: { dsl: '1.0.3', namespace: bench, name: sets, version: '1.0.0' }\n");
        let _ = write!(text, "do:\n  - each:\n      for: {{ in: '[range({turns})]' }}\n      do:\n");
        for at in 0..10 {
            let _ = writeln!(text, "        - set{at}: {{ set: {{ n: '${{ .n + 1 }}' }} }}");
        }
        fs::write(&file, text)?;
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_switchboard"));
        let start = Instant::now();
        let output = command.args(["flow", "run"]).arg(&file).args(["--input", "{\"n\": 0}"]).output()?;
        let took = start.elapsed();
        let n: Value = serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        ensure!(n["n"] == turns * 10, "the flow gave {n}");
        Ok(took)
    };
    let mut each = Vec::new();
    for _ in 0..ROUNDS {
        let (few, many) = (run(1)?, run(SETS / 10)?);
        each.push(many.saturating_sub(few) / SETS);
    }
    let each = median(each);
    let measured = format!("{:.1} µs", each.as_secs_f64() * 1e6);
    table.row(
        format!("a `set` task with a small expression, {SETS} of them in `flow run`"),
        measured,
        "< 20 µs",
        Some(each < Duration::from_micros(20)),
    );
    Ok(())
}

/// What reading and compiling a manifest of 20 KB with 50 expressions costs, each expression compiled by being evaluated once.
pub fn compile(table: &mut Table) -> Result<()> {
    let files = BundleFiles::new([("connector.yaml".to_owned(), manifest().into_bytes())].into_iter().collect());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (mut read, mut compiled) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 3 {
        let start = Instant::now();
        let bundle = Bundle::read("bench", &files).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let program = Program::compile(&bundle).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        read.push(start.elapsed());
        let evaluate = || {
            let start = Instant::now();
            let target = Target::Action("act".to_owned());
            let outcome = runtime.block_on(program.run(&target, &json!({"n": 1}), &Map::new(), &Still, Budget::default()));
            outcome.result.map(|_| start.elapsed()).map_err(|fault| anyhow::anyhow!("{:?}", fault.to_json()))
        };
        let (first, second) = (evaluate()?, evaluate()?);
        compiled.push(read[read.len() - 1] + first.saturating_sub(second));
    }
    let aim = Duration::from_millis(5);
    table.time(
        format!("reading a manifest of {} KB with 50 expressions", files.get("connector.yaml").map_or(0, <[u8]>::len) / 1000),
        median(read),
        None,
    );
    table.time("reading it and compiling all of them", median(compiled), Some(aim));
    Ok(())
}

fn manifest() -> String {
    let mut text = String::from(
        "apiVersion: switchboard/v1\nname: bench\ntitle: Bench\ndescription: Measures.\nkind: saas\nstatus: editing\nowner: a@example.com\nactions:\n  act:\n    title: Act\n    description: Acts.\n    do:\n",
    );
    for at in 0..50 {
        let _ = writeln!(
            text,
            "      # what this task is for, in a comment as people write them\n      - task{at}:\n          set:\n            n: '${{ .n + 1 }}'\n            list: '${{ [.items[]? | select(.state == \"open\" and .number > {at}) | {{ id, title: (.title // \"none\"), tags: (.tags // [] | map(ascii_downcase) | join(\",\")) }}] }}'\n            kept: {{ at: {at}, text: A text that stays as it is written. }}"
        );
    }
    // Half of the expressions are the counter's.
    text
}

/// A World in which nothing happens.
struct Still;

#[async_trait(?Send)]
impl World for Still {
    async fn send(&self, _: Sending) -> Result<Response, Unanswered> {
        Err(Unanswered::communication("nobody is there"))
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }

    fn random(&self) -> u64 {
        4
    }

    fn id(&self) -> String {
        thread_local!(static NEXT: Cell<u64> = const { Cell::new(0) });
        NEXT.with(|next| next.replace(next.get() + 1)).to_string()
    }

    async fn file(&self, _: &str) -> Result<Vec<u8>, Unanswered> {
        Err(Unanswered::configuration("there are no files"))
    }
}

/// Requests through `call: request` in a worker, against bare reqwest with the same concurrency and the same server, alternating.
pub fn requests(table: &mut Table) -> Result<()> {
    let body = json!({"id": 7, "name": "a name", "items": (0..20).map(|n| json!({"n": n, "text": "some text"})).collect::<Vec<_>>()});
    for think in [Duration::ZERO, Duration::from_millis(2)] {
        let answer = Answer::json(&body);
        let service = Service::start(move |_| {
            if !think.is_zero() {
                std::thread::sleep(think);
            }
            answer.clone()
        });
        // As `invoke` has it, and as programs with reqwest have it most often.
        let ours = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let theirs = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let live =
            Live::new(WorkersConfig { memory: 2 << 30, ..WorkersConfig::new(env!("CARGO_BIN_EXE_switchboard")) }, Network::default());
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let through = ours.block_on(through_worker(&live, &service))?;
            let bare = theirs.block_on(bare(&service))?;
            // The first round starts the worker and opens the connections.
            if round > 0 {
                our_times.push(through);
                their_times.push(bare);
            }
        }
        let (ours, theirs) = (median(our_times), median(their_times));
        let share = theirs.as_secs_f64() / ours.as_secs_f64() * 100.0;
        let what = format!("{REQUESTS} requests, {BRANCHES} at once, server thinks {}: worker against bare reqwest", show(think));
        table.row(what, format!("{} against {}: {share:.0} %", show(ours), show(theirs)), ">= 90 %", Some(share >= 90.0));
    }
    Ok(())
}

async fn bare(service: &Service) -> Result<Duration> {
    let client = reqwest::Client::builder().build()?;
    let url = service.url("/things/7");
    let start = Instant::now();
    let tasks: Vec<_> = (0..BRANCHES)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move {
                for _ in 0..REQUESTS / BRANCHES {
                    let bytes = client.get(&url).send().await?.bytes().await?;
                    let _: Value = serde_json::from_slice(&bytes)?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(start.elapsed())
}

async fn through_worker(live: &Live, service: &Service) -> Result<Duration> {
    let mut text = String::from(
        "apiVersion: switchboard/v1\nname: bench\ntitle: Bench\ndescription: Measures.\nkind: saas\nstatus: editing\nowner: a@example.com\nconnection: { hosts: [api.example.com], baseUrl: 'http://api.example.com' }\nactions:\n  act:\n    title: Act\n    description: Acts.\n    do:\n      - all:\n          fork:\n            branches:\n",
    );
    for branch in 0..BRANCHES {
        let _ = writeln!(
            text,
            "              - b{branch}: {{ for: {{ in: '[range({})]' }}, do: [ {{ get: {{ call: request, with: {{ method: get, path: '/things/7' }}, output: {{ as: .id }} }} }} ] }}",
            REQUESTS / BRANCHES
        );
    }
    let files = BundleFiles::new([("connector.yaml".to_owned(), text.into_bytes())].into_iter().collect());
    let subject = Subject::Connector {
        connector: "bench".to_owned(),
        files,
        target: Target::Action("act".to_owned()),
        connection: Map::new(),
        validation: Validation::Strict,
    };
    let start = Instant::now();
    let outcome = live
        .run(LiveRun {
            subject,
            input: json!({}),
            policy: Policy {
                hosts: Some(vec!["api.example.com".to_owned()]),
                addresses: Addresses::Public,
                mappings: vec![HostMapping::parse(&format!("api.example.com={}", service.url("/"))).map_err(anyhow::Error::msg)?],
            },
            session: Arc::default(),
            files: Files::None,
            listener: None,
            limits: RunLimits::default(),
        })
        .await?;
    let took = start.elapsed();
    ensure!(outcome.ending == Ending::Output(json!(vec![7; BRANCHES as usize])), "{:?}", outcome.ending);
    Ok(took)
}
