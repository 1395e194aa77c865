//! Evidence in SQL: all of it is kept, the newest of a digest and level counts.

use std::borrow::Cow;
use std::io;

use sqlx::AnyConnection;

use super::database::{Database, take_numbers, unreadable};
use crate::model::{CaseReport, Digest, Evidence, Verdict};

/// How many bytes of differences are kept with one run: nothing of it is ever deleted.
const MOST_DIFFERENCES: usize = 1 << 20;

/// Appends evidence within a transaction.
pub(super) async fn append(connection: &mut AnyConnection, evidence: &Evidence) -> Result<(), sqlx::Error> {
    let body = serde_json::to_string(bounded(evidence).as_ref()).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let verdict = evidence.verdict();
    let seq = take_numbers(connection, "evidence", 1).await?;
    let sql = "INSERT INTO evidence (seq, digest, level, connector, started, passed, failed, body)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(seq)
        .bind(evidence.digest.to_string())
        .bind(i64::from(evidence.level))
        .bind(evidence.connector.as_str().to_owned())
        .bind(evidence.started.to_string())
        .bind(i64::from(verdict.passed))
        .bind(i64::from(verdict.failed))
        .bind(body)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn verdicts(database: &Database, level: u32) -> Result<Vec<(Digest, Verdict)>, sqlx::Error> {
    let sql = "SELECT e.digest, e.passed, e.failed
               FROM (SELECT digest, max(seq) AS seq FROM evidence WHERE level = $1 GROUP BY digest) AS newest
               JOIN evidence AS e ON e.level = $1 AND e.digest = newest.digest AND e.seq = newest.seq
               ORDER BY e.digest";
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(sql).bind(i64::from(level)).fetch_all(database.pool()).await?;
    rows.into_iter()
        .map(|(digest, passed, failed)| {
            let digest = digest.parse().map_err(|error| unreadable("evidence.digest", error))?;
            let passed = passed.try_into().map_err(|error| unreadable("evidence.passed", error))?;
            let failed = failed.try_into().map_err(|error| unreadable("evidence.failed", error))?;
            Ok((digest, Verdict { passed, failed }))
        })
        .collect()
}

pub(super) async fn newest(database: &Database, digest: &Digest, level: u32, limit: u32) -> Result<Vec<Evidence>, sqlx::Error> {
    let sql = "SELECT body FROM evidence WHERE level = $1 AND digest = $2 ORDER BY seq DESC LIMIT $3";
    let query = sqlx::query_scalar(sql).bind(i64::from(level)).bind(digest.to_string()).bind(i64::from(limit));
    let bodies: Vec<String> = query.fetch_all(database.pool()).await?;
    bodies.iter().map(|body| read(body, digest, level)).collect()
}

/// The evidence of a row: what tells of something else, or of a part of the cases, proves nothing of it.
fn read(body: &str, digest: &Digest, level: u32) -> Result<Evidence, sqlx::Error> {
    let evidence: Evidence = serde_json::from_str(body).map_err(|error| unreadable("evidence.body", error))?;
    if evidence.digest != *digest || evidence.level != level || evidence.partial {
        return Err(unreadable("evidence.body", io::Error::other("it tells of another run than the row does")));
    }
    Ok(evidence)
}

/// Without the differences beyond the most that is kept: who wants those runs the tests again. Every case and its outcome stay.
fn bounded(evidence: &Evidence) -> Cow<'_, Evidence> {
    let size = |case: &CaseReport| case.failures.iter().map(|failure| failure.message.len()).sum::<usize>();
    if evidence.cases.iter().map(size).sum::<usize>() <= MOST_DIFFERENCES {
        return Cow::Borrowed(evidence);
    }
    let mut bounded = evidence.clone();
    let mut kept = 0;
    for case in &mut bounded.cases {
        kept += size(case);
        if kept > MOST_DIFFERENCES && !case.failures.is_empty() {
            case.failures = vec!["what differs is not kept, for too much does; run the tests again to see it".to_owned().into()];
        }
    }
    Cow::Owned(bounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CaseOutcome, Coverage, Place};

    #[test]
    fn differences_without_end_are_not_kept_and_outcomes_are() {
        let case = |failure: usize| CaseReport {
            suite: "All".to_owned(),
            case: failure.to_string(),
            place: Place::file("tests/all.yaml"),
            target: "actions/get".to_owned(),
            outcome: if failure == 0 { CaseOutcome::Passed } else { CaseOutcome::Failed },
            failures: (failure > 0).then(|| "x".repeat(failure).into()).into_iter().collect(),
            skipped: None,
            micros: 1,
        };
        let evidence = |cases: Vec<CaseReport>| Evidence {
            connector: "crm".parse().unwrap(),
            digest: Digest::of(b"x"),
            level: 1,
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            millis: 1,
            runner: "0.1.0".to_owned(),
            cases,
            failure: None,
            partial: false,
            coverage: Coverage::default(),
        };
        let usual = evidence(vec![case(10), case(0)]);
        assert!(matches!(bounded(&usual), Cow::Borrowed(same) if *same == usual));
        let hostile = evidence(vec![case(10), case(MOST_DIFFERENCES), case(0), case(20)]);
        let kept = bounded(&hostile);
        assert_eq!(kept.verdict(), hostile.verdict());
        assert_eq!(kept.cases[0], hostile.cases[0]);
        assert!(serde_json::to_string(kept.as_ref()).unwrap().len() < MOST_DIFFERENCES);
    }

    #[test]
    fn a_row_with_another_run_in_it_is_not_read() {
        let evidence = Evidence {
            connector: "crm".parse().unwrap(),
            digest: Digest::of(b"x"),
            level: 1,
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            millis: 1,
            runner: "0.1.0".to_owned(),
            cases: Vec::new(),
            failure: None,
            partial: false,
            coverage: Coverage::default(),
        };
        let as_row = |evidence: &Evidence| read(&serde_json::to_string(evidence).unwrap(), &Digest::of(b"x"), 1);
        assert_eq!(as_row(&evidence).unwrap(), evidence);
        for other in [
            Evidence { digest: Digest::of(b"y"), ..evidence.clone() },
            Evidence { level: 2, ..evidence.clone() },
            Evidence { partial: true, ..evidence.clone() },
        ] {
            assert!(as_row(&other).unwrap_err().to_string().contains("another run"));
        }
    }
}
