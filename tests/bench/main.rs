//! The benchmarks: `cargo bench --bench speed [-- SECTION…]`, the sections being `plan`, `watch`, `validate`, `terraform`,
//! `tasks`, `compile`, `requests` and `tests`.
//! Real programs on generated repositories; peers are measured in the same run. Never part of the tests: machines are shared and noisy.

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a benchmark shows what it measures")]

mod flows;
mod generate;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests' service, of which a benchmark needs little")]
#[path = "../support/http.rs"]
mod http;
mod peers;
mod program;
mod spine;
mod suites;
mod table;

use anyhow::{Result, bail};

use table::Table;

type Section = (&'static str, fn(&mut Table) -> Result<()>);

const SECTIONS: [Section; 8] = [
    ("plan", spine::first_plan),
    ("watch", spine::at_rest),
    ("validate", peers::validate),
    ("terraform", peers::terraform),
    ("tasks", flows::tasks),
    ("compile", flows::compile),
    ("requests", flows::requests),
    ("tests", suites::tests),
];

fn main() -> Result<()> {
    // cargo itself adds `--bench`.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(unknown) = asked.iter().find(|asked| SECTIONS.iter().all(|(name, _)| name != asked)) {
        bail!("there is no section {unknown}; there are {}", SECTIONS.map(|(name, _)| name).join(", "));
    }
    let mut table = Table::default();
    for (name, section) in SECTIONS {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            section(&mut table)?;
        }
    }
    println!("{}", table.markdown());
    Ok(())
}
