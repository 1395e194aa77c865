//! Bytes into the value of a description: JSON or YAML, within bounds, whoever wrote them.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

use crate::manifest::{excerpt, plain_scalar};

/// The largest description that is read, in bytes. The largest published ones have about 12 MB.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many values it may hold, aliases expanded.
const MOST_VALUES: usize = 1_000_000;
/// How much text it may hold, aliases expanded, in bytes.
const MOST_TEXT: usize = 2 * MOST_BYTES;
/// How deep maps and lists may be nested.
const DEEPEST: usize = 64;

/// The value of a description; an error says what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    if bytes.len() > MOST_BYTES {
        return Err(format!("it has {} bytes, the limit is {MOST_BYTES}", bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text")?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if !text.trim_start().starts_with('{') {
        return yaml(text);
    }
    bounded(text)?;
    // A map in braces can be YAML too; most often it is JSON with a mistake in it.
    serde_json::from_str(text).or_else(|error| yaml(text).map_err(|_| format!("it is not JSON: {}", excerpt(&error.to_string()))))
}

/// Refuses JSON that would take up much more memory than its bytes, before any of it is made.
fn bounded(text: &str) -> Result<(), String> {
    let (mut values, mut depth, mut quoted, mut escaped) = (1_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                values += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return Err(too_deep());
        }
    }
    if values > MOST_VALUES { Err(too_many()) } else { Ok(()) }
}

fn too_deep() -> String {
    format!("its maps and lists are nested more than {DEEPEST} levels deep")
}

fn too_many() -> String {
    format!("it holds more than {MOST_VALUES} values or {MOST_TEXT} bytes of text, aliases expanded")
}

/// A value that was anchored, and what a copy of it costs.
struct Anchored {
    value: Value,
    values: usize,
    text: usize,
}

enum Holder {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

struct Open {
    holder: Holder,
    anchor: usize,
    /// What had been counted before it began.
    before: (usize, usize),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Value>,
    values: usize,
    text: usize,
}

fn yaml(text: &str) -> Result<Value, String> {
    let options = granit_parser::options! {
        disallow_directives: true,
        flow_nesting_limit: DEEPEST + 1,
        block_nesting_limit: DEEPEST + 1,
    };
    let mut parser = Parser::<StrInput<'_>>::new_from_str_with_options(text, options);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| format!("it is neither JSON nor YAML: {}", excerpt(&error.to_string())))?;
        builder.take(event).map_err(|why| format!("line {}: {why}", span.start.line()))?;
    }
    builder.root.ok_or_else(|| "it is empty".to_owned())
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(_, _, _, Some(tag)) | Event::SequenceStart(_, _, Some(tag)) | Event::MappingStart(_, _, Some(tag)) => {
                Err(format!("the tag `{}` is not understood", excerpt(&tag.original())))
            }
            Event::Scalar(text, style, anchor, None) => self.scalar(&text, style, anchor),
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).ok_or("an alias repeats a value that it is part of")?;
                let (value, values, text) = (known.value.clone(), known.values, known.text);
                self.count(values, text)?;
                self.put(value)
            }
            Event::SequenceStart(_, anchor, None) => self.begin(Holder::List(Vec::new()), anchor),
            Event::MappingStart(_, anchor, None) => self.begin(Holder::Map(Map::new(), None), anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::DocumentStart(..) if self.root.is_some() => Err("a second document begins".to_owned()),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize) -> Result<(), String> {
        let before = (self.values, self.text);
        self.count(1, text.len())?;
        if let Some(Open { holder: Holder::Map(map, key @ None), .. }) = self.open.last_mut() {
            if text == "<<" && style == ScalarStyle::Plain {
                return Err("merge keys (`<<`) are not understood".to_owned());
            }
            if map.contains_key(text) {
                return Err(format!("the key `{}` is given twice", excerpt(text)));
            }
            // Statuses are keys, and written as numbers.
            *key = Some(text.to_owned());
            return Ok(());
        }
        let plain = (style == ScalarStyle::Plain).then(|| plain_scalar(text).ok()).flatten();
        self.anchored(plain.unwrap_or_else(|| Value::String(text.to_owned())), anchor, before)
    }

    fn begin(&mut self, holder: Holder, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep());
        }
        let before = (self.values, self.text);
        self.count(1, 0)?;
        self.open.push(Open { holder, anchor, before });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.holder {
            Holder::List(list) => Value::Array(list),
            Holder::Map(map, _) => Value::Object(map),
        };
        self.anchored(value, open.anchor, open.before)
    }

    fn anchored(&mut self, value: Value, anchor: usize, before: (usize, usize)) -> Result<(), String> {
        if anchor != 0 {
            let (values, text) = (self.values - before.0, self.text - before.1);
            // It is kept a second time.
            self.count(values, text)?;
            self.anchors.insert(anchor, Anchored { value: value.clone(), values, text });
        }
        self.put(value)
    }

    fn put(&mut self, value: Value) -> Result<(), String> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        match &mut open.holder {
            Holder::List(list) => list.push(value),
            Holder::Map(map, key) => {
                let key = key.take().ok_or("a list, a map or an alias stands where a key belongs")?;
                map.insert(key, value);
            }
        }
        Ok(())
    }

    fn count(&mut self, values: usize, text: usize) -> Result<(), String> {
        self.values += values;
        self.text += text;
        if self.values > MOST_VALUES || self.text > MOST_TEXT { Err(too_many()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(text: &str) -> String {
        read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn json_and_yaml_are_the_same_value() {
        let value = json!({"a": [1, "2", {"200": null}], "b": {"c": [1.5, true]}, "d": {"c": [1.5, true]}});
        assert_eq!(read(value.to_string().as_bytes()).unwrap(), value);
        let text = "\u{FEFF}a:\n- 1\n- '2'\n- 200:\nb: &b\n  c: [1.5, true]\nd: *b\n";
        assert_eq!(read(text.as_bytes()).unwrap(), value);
        assert_eq!(read(b"{a: 1, 'b': [x]}").unwrap(), json!({"a": 1, "b": ["x"]}));
    }

    #[test]
    fn what_is_no_description_is_refused_with_the_reason() {
        assert!(refusal("").contains("empty"));
        assert!(refusal("{\"a\": 1,}]").contains("not JSON"));
        assert!(refusal("a: 1\na: 2").starts_with("line 2: the key `a` is given twice"));
        assert!(refusal("a: !!str 1").contains("tag"));
        assert!(refusal("a: &a {b: 1}\nc:\n  <<: *a").contains("merge"));
        assert!(refusal("a: &a [*a]").contains("alias"));
        assert!(refusal("a: 1\n---\nb: 1").contains("second document"));
        assert!(refusal("? [a]\n: 1").contains("where a key belongs"));
        assert!(read(b"a: \xff").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn bombs_are_refused() {
        assert!(read(&vec![b' '; MOST_BYTES + 1]).unwrap_err().contains("limit"));
        assert!(refusal(&format!("{{\"a\": {}1{}}}", "[".repeat(100), "]".repeat(100))).contains("nested"));
        assert!(refusal(&"- ".repeat(100)).contains("nested") || refusal(&"- ".repeat(100)).contains("YAML"));
        assert!(refusal(&format!("{{\"a\": [{}0]}}", "0,".repeat(MOST_VALUES))).contains("values"));
        let aliases: String = (1..20).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))).collect();
        assert!(refusal(&format!("a0: &a0 [x]\n{aliases}")).contains("values"));
        let long = "x".repeat(MOST_TEXT / 16);
        assert!(refusal(&format!("a: &a {long}\nb: [{}]", ["*a"; 20].join(", "))).contains("text"));
    }
}
