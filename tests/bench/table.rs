//! What was measured, as a table to paste into a note: one row a figure, with the aim it is held against.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

/// The rows measured so far.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// Adds a row, and shows it at once: a long run is watched.
    pub fn row(&mut self, what: impl Into<String>, measured: impl Into<String>, aim: impl Into<String>, met: Option<bool>) {
        let verdict = met.map_or("", |met| if met { "met" } else { "MISSED" });
        let row = [what.into(), measured.into(), aim.into(), verdict.to_owned()];
        eprintln!("{}", row.join(" · "));
        self.rows.push(row);
    }

    /// Adds a row for a time that is to stay below an aim.
    pub fn time(&mut self, what: impl Into<String>, measured: Duration, aim: Option<Duration>) {
        self.row(what, show(measured), aim.map(|aim| format!("< {}", show(aim))).unwrap_or_default(), aim.map(|aim| measured < aim));
    }

    /// Adds a row for how many times as fast as a peer we are.
    pub fn ratio(&mut self, what: impl Into<String>, ours: Duration, theirs: Duration, aim: f64) {
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        let measured = format!("{} against {}: {ratio:.0}x", show(ours), show(theirs));
        self.row(what, measured, format!(">= {aim:.0}x"), Some(ratio >= aim));
    }

    /// The table in Markdown, under a line that names the machine.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n| what | measured (median) | aim | |\n| --- | --- | --- | --- |\n", machine());
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }
}

/// The middle one of several measurements.
pub fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

/// A time in the unit that suits it.
pub fn show(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.01 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{:.2} ms", seconds * 1e3),
    }
}

/// Memory given in KiB.
pub fn show_memory(kib: u64) -> String {
    format!("{} MiB", kib.div_ceil(1024))
}

fn machine() -> String {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map_or("unknown processor", |(_, name)| name.trim());
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let load = read("/proc/loadavg");
    format!("{model}, {cores} cores, load {} at the end", load.split(' ').next().unwrap_or_default())
}
