//! XML into JSON, without anything that a document could make grow: no document types, no entities but those of XML itself.

#[cfg(test)]
mod tests;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use super::decode::fitting;
use super::{short, text};
use crate::flow::expression::value::DEEPEST;

/// How many elements and attributes a document may have.
const NODES: usize = 250_000;
/// How many attributes an element may have.
const ATTRIBUTES: usize = 200;

/// How XML becomes JSON. A document is a map with its root element, by this convention:
/// - an element with nothing in it is null; with text alone, its text; else a map;
/// - in the map, an attribute is `@name`, an element its name, and text beside them `#text`, all of it in one;
/// - elements of one name become a list where there are several, and always where `lists` has their name;
/// - names keep their prefixes, and `xmlns` is an attribute as any other;
/// - blanks around text are dropped, but not around CDATA, which is text;
/// - comments and processing instructions are dropped;
/// - everything is text: there are no numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct XmlOptions {
    /// The names of elements that are always lists, with their prefixes.
    pub(crate) lists: Vec<String>,
}

/// The encoding that a document's bytes declare in `<?xml … encoding="…"?>`, or show.
pub(super) fn declared(bytes: &[u8]) -> Result<Option<&'static Encoding>, String> {
    const LONGEST: usize = 200;
    match bytes {
        [b'<', 0, b'?', 0, ..] => return Ok(Some(UTF_16LE)),
        [0, b'<', 0, b'?', ..] => return Ok(Some(UTF_16BE)),
        _ => {}
    }
    let beginning = String::from_utf8_lossy(bytes.get(..LONGEST).unwrap_or(bytes));
    let declaration = beginning.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map(|(declaration, _)| declaration);
    let Some((_, rest)) = declaration.and_then(|declaration| declaration.split_once("encoding")) else { return Ok(None) };
    let value = rest.trim_start().trim_start_matches('=').trim_start();
    let Some(label) = value.split(['"', '\'']).nth(1) else { return Ok(None) };
    let encoding = text::named(label)?;
    // What can be read here is not UTF-16, whatever it says: it was recoded on its way.
    Ok(Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding }))
}

/// A document as JSON.
pub(super) fn read(text: &str, options: &XmlOptions) -> Result<Value, String> {
    let mut reader = Reader::from_str(text);
    let mut document = Document { options, open: Vec::new(), root: None, nodes: 0 };
    loop {
        let before = reader.buffer_position();
        let event = reader.read_event().map_err(|error| at(text, reader.error_position(), &error.to_string()))?;
        let is_over = matches!(event, Event::Eof);
        document.take(event).map_err(|why| at(text, before, &why))?;
        if is_over {
            return fitting(document.root.map_or(Value::Null, Value::Object));
        }
    }
}

/// A problem with its place in the text.
fn at(text: &str, offset: u64, why: &str) -> String {
    const LONGEST: usize = 200;
    let end = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
    let before = text.as_bytes().get(..end).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let column = String::from_utf8_lossy(last).chars().count() + 1;
    // Messages quote names, which can be as long as the document.
    let why: String = why.chars().take(LONGEST).collect();
    format!("the response is not XML that can be read: line {line}, column {column}: {why}")
}

struct Document<'o> {
    options: &'o XmlOptions,
    open: Vec<Element>,
    root: Option<Map<String, Value>>,
    nodes: usize,
}

/// An element that is not closed yet.
struct Element {
    name: String,
    entries: Map<String, Value>,
    text: String,
    /// Which part of the text keeps its blanks, first byte and the one after the last.
    firm: Option<(usize, usize)>,
}

impl Document<'_> {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::Empty(tag) => self.open(&tag).and_then(|()| self.close()),
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content(), false),
            Event::CData(text) => self.text(&text.xml10_content(), true),
            Event::GeneralRef(reference) => self.reference(&reference),
            Event::Comment(_) | Event::PI(_) => Ok(()),
            Event::Decl(_) if self.open.is_empty() && self.root.is_none() => Ok(()),
            Event::Decl(_) => Err("an XML declaration stands inside the document".to_owned()),
            Event::DocType(_) => Err("the document has a document type (DOCTYPE), which is never read".to_owned()),
            Event::Eof => match self.open.last() {
                Some(element) => Err(format!("`{}` is not closed", short(&element.name))),
                None if self.root.is_none() => Err("there is no element".to_owned()),
                None => Ok(()),
            },
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let name = named(tag.name().0)?;
        if self.open.is_empty() && self.root.is_some() {
            return Err(format!("`{}` is a second root element", short(&name)));
        }
        if self.open.len() == DEEPEST {
            return Err(format!("elements nest deeper than {DEEPEST} levels"));
        }
        let mut entries = Map::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
            entries.insert(format!("@{}", named(attribute.key.0)?), Value::from(value));
            if entries.len() > ATTRIBUTES {
                return Err(format!("an element has more than {ATTRIBUTES} attributes"));
            }
        }
        self.nodes += 1 + entries.len();
        if self.nodes > NODES {
            return Err(format!("there are more than {NODES} elements and attributes"));
        }
        self.open.push(Element { name, entries, text: String::new(), firm: None });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let element = self.open.pop().ok_or("an element is closed that is not open")?;
        let is_list = self.options.lists.contains(&element.name);
        let (name, value) = element.finish();
        let entries = match self.open.last_mut() {
            Some(parent) => &mut parent.entries,
            None => self.root.get_or_insert_default(),
        };
        match entries.get_mut(&name) {
            // An element's value is never a list by itself.
            Some(Value::Array(values)) => values.push(value),
            Some(single) => *single = Value::Array(vec![single.take(), value]),
            None => {
                entries.insert(name, if is_list { Value::Array(vec![value]) } else { value });
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str, is_firm: bool) -> Result<(), String> {
        match self.open.last_mut() {
            Some(element) => element.push(text, is_firm),
            None if !is_firm && text.chars().all(is_blank) => {}
            None => return Err("there is text outside of the root element".to_owned()),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), String> {
        match reference.resolve_char_ref().map_err(|error| error.to_string())? {
            Some(char) => self.text(char.encode_utf8(&mut [0; 4]), true),
            None => {
                let known = resolve_xml_entity(reference);
                self.text(known.ok_or_else(|| format!("the entity `&{};` is not one of XML's own", short(reference)))?, true)
            }
        }
    }
}

impl Element {
    fn push(&mut self, text: &str, is_firm: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        if is_firm {
            self.firm = Some((self.firm.map_or(start, |(first, _)| first), self.text.len()));
        }
    }

    fn finish(mut self) -> (String, Value) {
        let (first, last) = self.firm.unwrap_or((self.text.len(), 0));
        let end = self.text.trim_end_matches(is_blank).len().max(last);
        let start = (self.text.len() - self.text.trim_start_matches(is_blank).len()).min(first);
        let text = self.text.get(start..end).unwrap_or_default();
        let value = match (self.entries.is_empty(), text.is_empty()) {
            (true, true) => Value::Null,
            (true, false) => Value::from(text),
            (false, true) => Value::Object(self.entries),
            (false, false) => {
                self.entries.insert("#text".to_owned(), Value::from(text));
                Value::Object(self.entries)
            }
        };
        (self.name, value)
    }
}

/// Whether XML counts it as white space.
fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

/// A name, if it could be one: the reader takes anything between `<` and the next blank.
fn named(name: &str) -> Result<String, String> {
    let is_first = |char: char| char.is_alphabetic() || char == '_' || char == ':';
    let is_other = |char: char| is_first(char) || char.is_alphanumeric() || !char.is_ascii() || matches!(char, '-' | '.');
    let is_name = name.starts_with(is_first) && name.chars().all(is_other);
    if is_name { Ok(name.to_owned()) } else { Err(format!("`{}` is not a name", short(name))) }
}
