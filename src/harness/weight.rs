//! How much memory a request takes while it waits for its answer: both sides of the pipe count it in the same way.

use serde_json::Value;

use crate::flow::{Body, Request};

/// How much the requests of one run may take at once, in bytes. A bigger one goes alone.
pub(super) const MOST: usize = 256 << 20;

/// What one value of JSON takes, beside its text.
const NODE: usize = size_of::<Value>();

/// The memory that a request's body takes, up to the most there is.
pub(super) fn of(request: &Request) -> usize {
    let bytes = match &request.body {
        None => 0,
        Some(Body::Json(value)) => of_json(value),
        Some(Body::Text(text)) => text.len(),
        Some(Body::Bytes(bytes)) => bytes.len(),
        Some(Body::Form(fields)) => fields.iter().map(|(name, value)| name.len() + value.len() + 2 * NODE).sum(),
        Some(Body::Multipart(parts)) => parts.iter().map(|part| part.content.len() + part.name.len() + 4 * NODE).sum(),
    };
    bytes.min(MOST)
}

fn of_json(value: &Value) -> usize {
    NODE + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(of_json).sum(),
        Value::Object(entries) => entries.iter().map(|(key, value)| key.len() + 2 * NODE + of_json(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn many_small_values_weigh_more_than_their_text() {
        let request = |body| Request { method: "POST".to_owned(), url: "http://h/".parse().unwrap(), headers: Vec::new(), body };
        assert_eq!(of(&request(None)), 0);
        assert_eq!(of(&request(Some(Body::Text("abc".to_owned())))), 3);
        assert!(of(&request(Some(Body::Json(json!([1, 1, 1]))))) > 4 * 16);
        assert_eq!(of(&request(Some(Body::Bytes(vec![0; MOST + 1])))), MOST);
    }
}
