//! The cache of declarations in SQL. It may be lost at any time: folders are then read again.

use std::collections::BTreeMap;

use super::CachedDeclaration;
use super::database::{Database, ROWS, insert_rows};

pub(super) async fn all(database: &Database) -> Result<Vec<CachedDeclaration>, sqlx::Error> {
    let sql = "SELECT connector, key, body FROM declarations ORDER BY connector";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(database.pool()).await?;
    Ok(rows.into_iter().map(|(connector, key, body)| CachedDeclaration { connector, key, body }).collect())
}

pub(super) async fn put(database: &Database, declarations: &[CachedDeclaration]) -> Result<(), sqlx::Error> {
    // One statement may not change a row twice, so the last one given for a connector stands for all.
    let last: BTreeMap<&str, &CachedDeclaration> = declarations.iter().map(|each| (each.connector.as_str(), each)).collect();
    let last: Vec<&CachedDeclaration> = last.into_values().collect();
    let mut transaction = database.begin().await?;
    for chunk in last.chunks(ROWS) {
        let tail = "ON CONFLICT (connector) DO UPDATE SET key = excluded.key, body = excluded.body";
        let mut insert = sqlx::query(insert_rows("INSERT INTO declarations (connector, key, body)", 3, chunk.len(), tail));
        for each in chunk {
            insert = insert.bind(each.connector.clone()).bind(each.key.clone()).bind(each.body.clone());
        }
        insert.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
