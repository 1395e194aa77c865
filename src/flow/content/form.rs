//! Fields of a form, `application/x-www-form-urlencoded`.

use serde_json::Value;

use super::{kind_of, scalar, short};

/// How deep the names of fields may nest: `a[b][c]` nests twice.
const DEEPEST: usize = 10;
/// How many bytes all names and values may have. A long name is repeated by every field below it.
const LARGEST: usize = 8 << 20;

/// The fields that a map makes:
/// - a scalar is one field, null none;
/// - a list of scalars repeats its name: `tag: [a, b]` is `tag=a&tag=b`, and `"tag[]": [a, b]` is `tag[]=a&tag[]=b`;
/// - a map names its entries in brackets: `metadata: { order: 7 }` is `metadata[order]=7`;
/// - a list with a map or a list in it counts them in brackets: `items: [{ price: x }]` is `items[0][price]=x`.
pub(super) fn fields(value: &Value) -> Result<Vec<(String, String)>, String> {
    let Value::Object(entries) = value else { return Err(format!("a form is a map of fields, not {}", kind_of(value))) };
    let mut fields = Fields { made: Vec::new(), left: LARGEST };
    for (name, value) in entries {
        fields.add(name, value, 0)?;
    }
    Ok(fields.made)
}

struct Fields {
    made: Vec<(String, String)>,
    left: usize,
}

impl Fields {
    fn add(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("the form's field `{}` nests deeper than {DEEPEST} levels", short(name)));
        }
        match value {
            Value::Object(entries) => entries.iter().try_for_each(|(key, value)| self.add_below(name, key, value, depth)),
            Value::Array(values) if values.iter().any(|value| value.is_array() || value.is_object()) => {
                values.iter().enumerate().try_for_each(|(index, value)| self.add_below(name, &index.to_string(), value, depth))
            }
            Value::Array(values) => values.iter().try_for_each(|value| self.push(name, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => self.push(name, value),
        }
    }

    fn add_below(&mut self, name: &str, key: &str, value: &Value, depth: usize) -> Result<(), String> {
        self.spend(name.len() + key.len())?;
        self.add(&format!("{name}[{key}]"), value, depth + 1)
    }

    fn push(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if let Some(text) = scalar(value) {
            self.spend(name.len() + text.len())?;
            self.made.push((name.to_owned(), text));
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| format!("the form is bigger than {LARGEST} bytes"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(value: &Value) -> String {
        let fields = fields(value).unwrap();
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }

    #[test]
    fn scalars_are_fields_and_lists_repeat_their_name() {
        let value =
            json!({"a": "x y", "n": 7, "half": 0.5, "yes": true, "none": null, "tag": ["a", null, 2], "empty": [], "to[]": ["b", "c"]});
        assert_eq!(query(&value), "a=x y&n=7&half=0.5&yes=true&tag=a&tag=2&to[]=b&to[]=c");
    }

    #[test]
    fn maps_nest_in_brackets_as_stripe_wants_them() {
        let value = json!({
            "amount": 2000,
            "metadata": {"order": 7, "of": {"shop": "x"}, "tags": ["a", "b"], "none": {}},
            "items": [{"price": "p1", "quantity": 2}, {"price": "p2"}],
        });
        assert_eq!(
            query(&value),
            "amount=2000&metadata[order]=7&metadata[of][shop]=x&metadata[tags]=a&metadata[tags]=b\
             &items[0][price]=p1&items[0][quantity]=2&items[1][price]=p2"
        );
    }

    #[test]
    fn what_is_no_form_or_too_much_is_refused() {
        assert_eq!(fields(&json!("a=b")), Err("a form is a map of fields, not text".to_owned()));
        let deep = (0..20).fold(json!(1), |inner, _| json!({ "k": inner }));
        let deepest = format!("k{}", "[k]".repeat(11));
        assert_eq!(fields(&deep), Err(format!("the form's field `{deepest}` nests deeper than 10 levels")));
        let name = "x".repeat(1 << 20);
        let wide = json!({ name: (0..100).collect::<Vec<_>>() });
        assert_eq!(fields(&wide), Err("the form is bigger than 8388608 bytes".to_owned()));
    }
}
