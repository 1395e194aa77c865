//! Release records, `releases/<connector>/<version>.yaml`: written by Switchboard in a review's branch, merged by people.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, code, excerpt, typed};
use crate::model::{Problem, Release};

const PREAMBLE: &str = "\
# Written by Switchboard. Merging this file through its review publishes exactly the content named by its digest.
# A record that was changed by hand publishes nothing.
";

/// Reads a record; `file` is its path from the repository's root and must be the one that [`Release::path`] gives.
pub fn read(file: &str, bytes: &[u8]) -> Result<Release, Vec<Problem>> {
    let (release, document) = typed::read_with::<Release>(file, bytes, time_exists)?;
    if file == Release::path(&release.connector, &release.version) {
        return Ok(release);
    }
    Err(vec![misplaced(&release, &document)])
}

/// A time can have the right form and not exist.
fn time_exists(document: &Document, problems: &mut Vec<Problem>) {
    let time = document.value().get("requestedAt").and_then(Value::as_str).map(str::parse::<Timestamp>);
    if let Some(Err(error)) = time {
        problems.push(Problem::error(
            code::UNREADABLE,
            document.place("/requestedAt"),
            format!("not a moment in time: {}", excerpt::of_message(&error)),
        ));
    }
}

fn misplaced(release: &Release, document: &Document) -> Problem {
    let path = Release::path(&release.connector, &release.version);
    Problem::error(code::MISPLACED_RECORD, document.place("/connector"), format!("this record belongs at `{path}`"))
        .hint("Release records are written by Switchboard alone; restore the file as it was.")
}

/// Writes a record; equal records give equal bytes.
pub fn write(release: &Release) -> Result<String, serde_yaml::Error> {
    Ok(format!("{PREAMBLE}{}", serde_yaml::to_string(release)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CommitId, Digest, Person};

    #[test]
    fn what_is_written_is_read_back() {
        let release = Release {
            api_version: super::super::API_VERSION.to_owned(),
            connector: "demo".parse().unwrap(),
            version: "1.2.0".parse().unwrap(),
            digest: Digest::of(b"x"),
            commit: CommitId::new("a".repeat(40)),
            requested_by: Person::new("Alice: #1 <alice@example.com>"),
            requested_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            replaces: Some("sha-0123456789ab".parse().unwrap()),
        };
        let text = write(&release).unwrap();
        assert!(text.starts_with("# Written by Switchboard."), "{text}");
        assert_eq!(read("releases/demo/1.2.0.yaml", text.as_bytes()), Ok(release));
        let elsewhere = read("releases/demo/1.3.0.yaml", text.as_bytes()).unwrap_err();
        assert_eq!(
            elsewhere[0].to_string(),
            "releases/demo/1.3.0.yaml:4:12: error[SB035]: this record belongs at `releases/demo/1.2.0.yaml`"
        );
    }
}
