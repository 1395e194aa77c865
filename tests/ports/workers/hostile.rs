//! What hostile bundles do to their workers, and to nobody else; and workers that come and go.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use switchboard::harness::{Harness, Job, Workers, WorkersConfig};
use switchboard::model::CaseOutcome;

use crate::support::processes::{children, kill};

use super::{all_passed, config, failures, hostile, impatient, job, run};

#[tokio::test]
async fn a_flow_with_problems_fails_as_a_whole() {
    for (expression, word) in
        [("halt", "`halt` is not available"), ("env", "`env` is not available"), ("$ENV.PATH", "no variable `$ENV`"), (".a |", "SB310")]
    {
        let evidence = run(hostile(&[expression])).await;
        let failure = evidence.failure.as_deref().unwrap_or_default();
        assert!(failure.contains(word) && failure.contains("connector.yaml:"), "{failure}");
        assert!(!evidence.verdict().is_good());
    }
}

#[tokio::test]
async fn what_ends_a_worker_fails_its_own_case_and_no_other() {
    // Little memory, so that it is soon used up, and yet enough for a debug build to refuse the fifth by its size.
    let config = WorkersConfig { memory: 384 << 20, case_deadline: Duration::from_secs(60), ..config() };
    let evidence = Workers::new(config)
        .run(hostile(&[
            "1 + 1",
            "reduce range(40) as $_ (\"x\"; . + .) | length",
            "2",
            "[range(1000000000)] | length",
            "\"0123456789\" * 900000",
            "reduce range(200) as $i (2; [.])",
            "last(range(1; 3))",
        ]))
        .await
        .unwrap();
    assert_eq!(evidence.failure, None);
    let outcomes: Vec<_> =
        evidence.cases.iter().map(|case| case.failures.iter().map(|failure| failure.message.as_str()).collect::<String>()).collect();
    let memory = "the worker ran out of memory (limit 384 MiB)";
    assert_eq!(outcomes[..4], ["", memory, "", memory]);
    assert!(outcomes[4].contains("the value is bigger than"), "{outcomes:?}");
    assert!(outcomes[5].contains("nests deeper than"), "{outcomes:?}");
    assert_eq!(outcomes[6..], [""]);
}

#[tokio::test]
async fn an_endless_case_is_stopped() {
    let config = WorkersConfig { case_deadline: Duration::from_secs(1), ..config() };
    let evidence = Workers::new(config).run(hostile(&["def f: f; f", "2"])).await.unwrap();
    assert_eq!(failures(&evidence.cases[0]), "it did not end within 1 s and was stopped");
    assert_eq!(evidence.cases[1].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn deep_recursion_ends_its_worker_only() {
    let deep = "reduce range(200000) as $_ (0; [.]) | tojson | 2";
    let evidence = run(hostile(&[deep, "2", "def f: 1 + f; f", "1 + 1", "try (\"[\" * 200000 | fromjson) catch 2"])).await;
    assert_eq!(failures(&evidence.cases[0]), "the stack overflowed");
    assert_eq!(evidence.cases[1].outcome, CaseOutcome::Passed);
    assert_eq!(failures(&evidence.cases[2]), "the stack overflowed");
    assert_eq!(evidence.cases[3].outcome, CaseOutcome::Passed);
    assert_eq!(evidence.cases[4].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn a_bundle_that_ends_every_worker_is_given_up() {
    let evidence = run(hostile(&["reduce range(40) as $_ (\"x\"; . + .)"; 10])).await;
    assert_eq!(evidence.cases.len(), 8);
    assert!(evidence.failure.unwrap().contains("were not run"));
}

#[tokio::test]
async fn a_flow_that_goes_round_runs_out_of_steps() {
    let actions = "actions:\n  a: { do: [ { one: { set: { x: 1 } } }, { two: { set: { x: 2 }, then: one } } ] }\n";
    let suite = "  - { title: round, action: a, expect: { error: { type: \"https://open-workflow-specification.org/spec/1.0.0/errors/runtime\" } } }\n";
    all_passed(&run(job(actions, suite)).await, 1);
}

#[tokio::test]
async fn a_hostile_neighbour_is_not_noticed() {
    let workers = Workers::new(impatient());
    let endless = hostile(&["def f: f; f"]);
    let good = hostile(&["1 + 1", "3 - 1"]);
    let (endless_digest, good_digest) = (endless.digest, good.digest);
    workers.start(endless.clone()).await.unwrap();
    workers.start(endless).await.unwrap();
    workers.start(good).await.unwrap();
    workers.finished().await;
    let progress = workers.progress().await.unwrap();
    assert_eq!(progress.running, [endless_digest]);
    all_passed(&progress.finished[0], 2);
    workers.acknowledge(&good_digest).await.unwrap();
    workers.finished().await;
    let progress = workers.progress().await.unwrap();
    assert_eq!((progress.running.len(), progress.finished.len()), (0, 1));
    assert!(failures(&progress.finished[0].cases[0]).contains("did not end"));
}

#[tokio::test]
async fn a_cancelled_run_leaves_nothing_behind() {
    let workers = Workers::new(WorkersConfig { concurrency: 1, ..config() });
    let (endless, good) = (hostile(&["def f: f; f"]), hostile(&["2"]));
    workers.start(endless.clone()).await.unwrap();
    workers.start(good.clone()).await.unwrap();
    assert_eq!(workers.progress().await.unwrap().running.len(), 2);
    // The only worker is free for the second run because the first one is gone.
    workers.cancel(&endless.digest).await.unwrap();
    workers.finished().await;
    let progress = workers.progress().await.unwrap();
    assert_eq!(progress.running, []);
    assert_eq!(progress.finished.iter().map(|evidence| evidence.digest).collect::<Vec<_>>(), [good.digest]);
}

#[tokio::test]
async fn a_worker_killed_from_outside_is_replaced() {
    // Long enough for the busy worker to be seen at work on a crowded machine before its time is over.
    let workers = Workers::new(WorkersConfig { case_deadline: Duration::from_secs(6), ..config() });
    all_passed(&workers.run(hostile(&["2"])).await.unwrap(), 1);
    let idle = children();
    assert_eq!(idle.len(), 1);
    kill(idle[0]);
    all_passed(&workers.run(hostile(&["1 + 1"])).await.unwrap(), 1);

    let endless = hostile(&["def f: f; f", "2"]);
    workers.start(endless).await.unwrap();
    let victim = loop {
        // Busy once it has used the processor for something, which an idle worker does not do.
        if let Some(busy) = children().into_iter().find(|child| ticks(*child) > 20) {
            break busy;
        }
        tokio::task::yield_now().await;
    };
    kill(victim);
    workers.finished().await;
    let evidence = workers.progress().await.unwrap().finished.remove(0);
    let told = failures(&evidence.cases[0]);
    assert!(told.contains("did not end within"), "the kill is no evidence, the second chance is: {told}");
    assert_eq!(evidence.cases[1].outcome, CaseOutcome::Passed);
}

fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().unwrap().split_whitespace().nth(11).map_or(0, |ticks| ticks.parse().unwrap())
}

#[tokio::test]
async fn workers_are_warm_and_end_with_their_owner() {
    let workers = Workers::new(config());
    all_passed(&workers.run(hostile(&["2"])).await.unwrap(), 1);
    let first = children();
    all_passed(&workers.run(hostile(&["1 + 1"])).await.unwrap(), 1);
    assert_eq!(children(), first);
    let status = fs::read_to_string(format!("/proc/{}/limits", first[0])).unwrap();
    for line in [
        "Max address space         536870912            536870912",
        "Max core file size        0                    0",
        "Max file size             0                    0",
    ] {
        assert!(status.contains(line), "{status}");
    }
    assert_eq!(fs::read(format!("/proc/{}/environ", first[0])).unwrap(), b"");
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", first[0])).unwrap().as_os_str(), "/");
}

#[tokio::test]
async fn a_worker_stands_behind_walls_with_nothing_of_what_its_parent_has_open() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    // Unlike what the standard library opens, what is duplicated so stays open in children.
    let inherited = nix::unistd::dup(fs::File::create_new(&secret).unwrap()).unwrap();
    let workers = Workers::new(config());
    all_passed(&workers.run(hostile(&["2"])).await.unwrap(), 1);
    let worker = children()[0];
    let status = fs::read_to_string(format!("/proc/{worker}/status")).unwrap();
    for line in ["Seccomp:\t2", "NoNewPrivs:\t1", "Threads:\t3", "SigBlk:\t0000000000000000"] {
        assert!(status.lines().any(|found| found == line), "{line}: {status}");
    }
    let open = fs::read_dir(format!("/proc/{worker}/fd")).unwrap().map(|entry| fs::read_link(entry.unwrap().path()).unwrap());
    let open: Vec<String> = open.map(|link| link.display().to_string()).collect();
    let is_own = |link: &String| ["pipe:", "anon_inode:", "socket:"].iter().any(|kind| link.starts_with(kind));
    assert!(open.iter().all(is_own), "{open:?}");
    drop(inherited);
}

#[tokio::test]
async fn what_a_case_says_at_length_is_cut() {
    // As much as a value may be, and then some more of it in what differs.
    let long = "\"0123456789\" * 700000";
    let lines = "[range(500000)]";
    let evidence = run(hostile(&[long, lines, &format!("error({long})"), "2"])).await;
    assert_eq!((evidence.failure.as_deref(), evidence.cases.len()), (None, 4));
    for case in &evidence.cases[..3] {
        let told = failures(case);
        assert!(told.len() < 25_000, "{}", told.len());
    }
    assert_eq!(evidence.cases[3].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn nothing_is_ever_connected_to() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    service.set_nonblocking(true).unwrap();
    let address = service.local_addr().unwrap();
    let actions = "actions:
  a: { do: [ { t: { call: http, with: { method: get, endpoint: \"${ .to }\" } } } ] }
  b: { do: [ { t: { call: request, with: { method: get, path: / } } } ] }
";
    let answered = "exchanges: [ { request: { method: get }, response: { status: 200, body: 2 } } ]";
    let suite = format!(
        "  - {{ title: a host of nobody, action: a, input: {{ to: \"http://{address}/\" }}, expect: {{ output: 2 }} }}
  - {{ title: nobody answers, action: b, connection: {{ baseUrl: \"http://{address}\" }}, expect: {{ output: 2 }} }}
  - {{ title: somebody is said to answer, action: a, input: {{ to: \"http://{address}/\" }}, {answered}, expect: {{ output: 2 }} }}
"
    );
    let evidence = run(job(actions, &suite)).await;
    assert_eq!((evidence.failure.as_deref(), evidence.cases.len()), (None, 3));
    for case in &evidence.cases {
        failures(case);
    }
    assert_eq!(service.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);

    let allowed = files_of_an_allowed_host(address);
    let evidence = run(allowed).await;
    all_passed(&evidence, 1);
    assert_eq!(service.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

/// A connector whose flow may reach the address, and whose case says what is answered there.
fn files_of_an_allowed_host(address: std::net::SocketAddr) -> Job {
    let mut job = job(
        "actions:\n  a: { do: [ { t: { call: request, with: { method: get, path: / } } } ] }\n",
        "  - { title: c, action: a, exchanges: [ { request: { method: get }, response: { status: 200, body: 2 } } ], expect: { output: 2 } }\n",
    );
    let text = |path| String::from_utf8(job.files.get(path).unwrap().to_vec()).unwrap();
    let manifest = text("connector.yaml").replace("hosts: [api.example.com]", "hosts: [127.0.0.1]");
    let manifest = manifest.replace("https://api.example.com/v1", &format!("http://{address}"));
    job.files = super::files(&manifest, text("tests/suite.yaml").split_once("cases:\n").unwrap().1);
    job
}

#[tokio::test]
async fn no_file_beyond_the_bundle_is_read() {
    let actions = "actions:\n  a: { do: [ { t: { call: request, with: { method: get, path: / } } } ] }\n";
    for file in ["/etc/hostname", "../../../etc/hostname", "/proc/self/environ", "tests/../../x"] {
        let exchange = format!("{{ request: {{ method: get }}, response: {{ status: 200, file: \"{file}\" }} }}");
        let suite = format!("  - {{ title: c, action: a, exchanges: [ {exchange} ], expect: {{ output: 2 }} }}\n");
        let evidence = run(job(actions, &suite)).await;
        let told = evidence.failure.clone().unwrap_or_else(|| failures(&evidence.cases[0]));
        assert!(!told.contains(fs::read_to_string("/etc/hostname").unwrap().trim()), "{file}: {told}");
    }
}

#[tokio::test]
async fn a_flow_starts_no_process() {
    for task in ["run: { shell: { command: ls } }", "run: { script: { language: js, code: \"1\" } }", "run: { container: { image: a } }"] {
        let actions = format!("actions:\n  a: {{ do: [ {{ t: {{ {task} }} }} ] }}\n");
        let evidence = run(job(&actions, "  - { title: c, action: a, expect: { output: 2 } }\n")).await;
        let failure = evidence.failure.unwrap();
        assert!(failure.contains("`run`") && evidence.cases.is_empty(), "{failure}");
    }
    let many =
        "  a: { do: [ { t: { fork: { branches: [ { x: { set: { n: 1 } } }, { y: { set: { n: 2 } } } ] }, output: { as: length } } } ] }\n";
    let evidence = run(job(&format!("actions:\n{many}"), "  - { title: c, action: a, expect: { output: 2 } }\n")).await;
    all_passed(&evidence, 1);
}

#[tokio::test]
async fn what_keeps_workers_from_running_is_no_evidence() {
    for (program, said) in [("/bin/true", "exited by itself"), ("/bin/false", "code 1"), ("/does/not/exist", "cannot start a worker")] {
        let workers = Workers::new(WorkersConfig { program: program.into(), ..impatient() });
        let job = hostile(&["2"]);
        let aborted = workers.run(job.clone()).await.unwrap_err();
        assert!(aborted.reason.contains(said), "{program}: {aborted}");
        workers.start(job.clone()).await.unwrap();
        workers.finished().await;
        let progress = workers.progress().await.unwrap();
        assert_eq!((progress.running.len(), progress.finished.len(), progress.aborted), (0, 0, vec![aborted]));
        workers.acknowledge(&job.digest).await.unwrap();
        assert_eq!(workers.progress().await.unwrap().aborted, []);
    }
}
