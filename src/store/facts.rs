//! Facts in SQL: appended under rising numbers, read back by number, connector or kind.

use sqlx::AnyConnection;
use sqlx::AssertSqlSafe;

use super::NewFact;
use super::database::{Database, ROWS, insert_rows, number, placeholders, take_numbers, unreadable};
use crate::model::{ConnectorName, Fact, FactKind, Recorded};

/// A fact as a row: seq, at, connector, body.
type Row = (i64, String, String, String);

/// Appends facts within a transaction and returns the last one's number.
pub(super) async fn append(connection: &mut AnyConnection, facts: &[NewFact]) -> Result<i64, sqlx::Error> {
    let last = take_numbers(connection, "facts", facts.len()).await?;
    let mut seq = last - number(facts.len());
    for chunk in facts.chunks(ROWS) {
        let sql = insert_rows("INSERT INTO facts (seq, at, connector, environment, kind, body)", 6, chunk.len(), "");
        let mut insert = sqlx::query(sql);
        for new in chunk {
            seq += 1;
            let body = serde_json::to_string(&new.fact).map_err(|error| sqlx::Error::Encode(error.into()))?;
            insert = insert
                .bind(seq)
                .bind(new.at.to_string())
                .bind(new.connector.as_str().to_owned())
                .bind(new.fact.environment().map_or("", |environment| environment.as_str()).to_owned())
                .bind(new.fact.kind().as_str())
                .bind(body);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(last)
}

pub(super) async fn last(database: &Database) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT value FROM counters WHERE name = 'facts'").fetch_one(database.pool()).await
}

pub(super) async fn after(database: &Database, seq: i64, limit: u32) -> Result<Vec<Recorded>, sqlx::Error> {
    let sql = "SELECT seq, at, connector, body FROM facts WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(seq).bind(i64::from(limit)).fetch_all(database.pool()).await?;
    rows.into_iter().map(recorded).collect()
}

pub(super) async fn history(database: &Database, connector: &ConnectorName, limit: u32) -> Result<Vec<Recorded>, sqlx::Error> {
    let sql = "SELECT seq, at, connector, body FROM facts WHERE connector = $1 ORDER BY seq DESC LIMIT $2";
    let query = sqlx::query_as(sql).bind(connector.as_str().to_owned()).bind(i64::from(limit));
    let rows: Vec<Row> = query.fetch_all(database.pool()).await?;
    rows.into_iter().map(recorded).collect()
}

pub(super) async fn newest_of(database: &Database, kinds: &[FactKind]) -> Result<Vec<Recorded>, sqlx::Error> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    // Grouping by kind first lets the index answer without sorting; the outer group sees one row a kind.
    let sql = format!(
        "SELECT seq, at, connector, body FROM facts WHERE seq IN (
             SELECT max(newest) FROM (
                 SELECT connector, environment, max(seq) AS newest FROM facts WHERE kind IN ({})
                 GROUP BY kind, connector, environment
             ) AS by_kind GROUP BY connector, environment
         ) ORDER BY seq",
        placeholders(1, kinds.len())
    );
    let mut query = sqlx::query_as(AssertSqlSafe(sql));
    for kind in kinds {
        query = query.bind(kind.as_str());
    }
    let rows: Vec<Row> = query.fetch_all(database.pool()).await?;
    rows.into_iter().map(recorded).collect()
}

fn recorded((seq, at, connector, body): Row) -> Result<Recorded, sqlx::Error> {
    Ok(Recorded {
        seq,
        at: at.parse().map_err(|error| unreadable("facts.at", error))?,
        connector: connector.parse().map_err(|error| unreadable("facts.connector", error))?,
        fact: serde_json::from_str::<Fact>(&body).map_err(|error| unreadable("facts.body", error))?,
    })
}
