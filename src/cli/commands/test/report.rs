//! `--report FORMAT=FILE`: a report in a file, whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

use crate::cli::output::ReportFormat;
use crate::cli::tested::Tested;
use crate::cli::{Door, render};

/// A report that is to be written.
#[derive(Debug, Clone)]
pub(super) struct ReportFile {
    format: ReportFormat,
    path: PathBuf,
}

impl ReportFile {
    /// Reads `junit=FILE`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("expected FORMAT=FILE, such as junit=tests.xml")?;
        let format = ReportFormat::from_str(format, false)
            .map_err(|_| format!("there is no format `{format}`; there are json, junit, github and markdown"))?;
        if path.is_empty() {
            return Err("expected a file after the `=`".to_owned());
        }
        Ok(Self { format, path: path.into() })
    }

    /// Writes it, with its folder where that is missing.
    pub(super) fn write(&self, door: &Door, tested: &Tested) -> Result<()> {
        let path = door.settings.current_folder.join(&self.path);
        let text = render::report::report(self.format, tested)?;
        write(&path, text.as_bytes()).with_context(|| format!("cannot write the report {}", self.path.display()))
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A pipe or a device is written to, not replaced.
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
