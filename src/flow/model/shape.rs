//! What data must be and becomes on its way into and out of tasks, and how long things take.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use super::{Authentication, Document};
use crate::flow::schema::Judge;
use crate::flow::template::Template;

/// `input`, `output` or `export` of a task or a flow.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// What the data must be.
    pub(crate) schema: Option<Schema>,
    /// What it becomes.
    pub(crate) template: Option<Template>,
}

/// A JSON Schema, compiled when it is first used.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) source: SchemaSource,
    pub(crate) judge: OnceLock<Result<Judge, String>>,
}

/// Where a schema is written.
#[derive(Debug)]
pub(crate) enum SchemaSource {
    Inline(Value),
    External(Box<Document>),
}

impl Schema {
    pub(crate) fn new(source: SchemaSource) -> Self {
        Self { source, judge: OnceLock::new() }
    }
}

/// A length of time.
#[derive(Debug)]
pub(crate) enum Span {
    Fixed(Duration),
    /// An expression that gives an ISO 8601 duration.
    Given(Template),
}

/// Reads an ISO 8601 duration. Days have 24 hours; months and years have no fixed length and are refused.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not an ISO 8601 duration, such as `PT5M` or `P1DT2H`");
    if !text.starts_with(['P', 'p']) {
        return Err(wrong());
    }
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    if span.get_months() != 0 || span.get_years() != 0 {
        return Err(format!("`{text}` has months or years, which have no fixed length"));
    }
    let exact = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(exact).map_err(|_| format!("`{text}` is negative"))
}

impl Document {
    /// A document at an address that nothing proves who asks for.
    pub(crate) fn at(endpoint: crate::flow::uri::Address, authentication: Option<std::sync::Arc<Authentication>>) -> Self {
        Self { endpoint, authentication, contents: tokio::sync::OnceCell::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_iso_8601_of_fixed_length() {
        assert_eq!(duration("PT2H15M30S"), Ok(Duration::from_secs(8130)));
        assert_eq!(duration("P1D"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("PT0.25S"), Ok(Duration::from_millis(250)));
        for wrong in ["5m", "", "P1M", "P1Y", "-PT1S", "PT", "10", "PT1S x"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
