//! `$ref` within one description: JSON Pointers (RFC 6901) in fragments. What lies in another document is refused.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::manifest::excerpt;

/// How many references may lead from one to the next.
const MOST_HOPS: usize = 8;
/// The longest reference that is followed, in bytes.
const LONGEST: usize = 1_000;

/// What stands where a value is needed: itself, or what its reference leads to.
pub(super) fn follow<'d>(root: &'d Value, value: &'d Value) -> Result<&'d Value, String> {
    let mut value = value;
    for _ in 0..MOST_HOPS {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
        value = target(root, reference)?;
    }
    Err(format!("its references lead in a circle, or through more than {MOST_HOPS} places"))
}

/// What one reference points at.
fn target<'d>(root: &'d Value, reference: &str) -> Result<&'d Value, String> {
    if reference.len() > LONGEST {
        return Err(format!("the reference `{}` is longer than {LONGEST} bytes", excerpt(reference)));
    }
    let Some(pointer) = reference.strip_prefix('#') else {
        return Err(format!("the reference `{}` leads to another document; only `#/…` is followed", excerpt(reference)));
    };
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(format!("the reference `{}` is a name; only `#/…` is followed", excerpt(reference)));
    }
    let found = root.pointer(pointer).or_else(|| root.pointer(&percent_decode_str(pointer).decode_utf8().ok()?));
    found.ok_or_else(|| format!("the reference `{}` leads nowhere", excerpt(reference)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_within_the_document() {
        let root = json!({
            "a": {"$ref": "#/paths/~1pets~1%7Bid%7D/x~0y"},
            "paths": {"/pets/{id}": {"x~y": {"$ref": "#/list/1"}}},
            "list": [0, {"found": true}],
        });
        assert_eq!(follow(&root, &root["a"]).unwrap(), &json!({"found": true}));
        assert_eq!(follow(&root, &root["list"][1]).unwrap(), &json!({"found": true}));
    }

    #[test]
    fn other_references_are_refused() {
        let root = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
        assert!(follow(&root, &root["a"]).unwrap_err().contains("circle"));
        for (reference, why) in [("other.yaml#/a", "another document"), ("#name", "is a name"), ("#/c", "nowhere"), ("#/%FF", "nowhere")] {
            let value = json!({ "$ref": reference });
            assert!(follow(&root, Box::leak(Box::new(value))).unwrap_err().contains(why), "{reference}");
        }
    }
}
