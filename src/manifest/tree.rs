//! One pass over the parser's events into located nodes, refusing what a configuration file has no use for.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::document::MOST_PROBLEMS;
use super::{code, excerpt, syntax};
use crate::model::{Place, Problem};

/// How deep maps and lists may be nested.
pub(super) const DEEPEST: usize = 64;
/// How many values a file may hold, aliases expanded.
pub(super) const MOST_NODES: usize = 50_000;

/// A stretch of the file: bytes, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub start: u32,
    pub end: u32,
    pub line: u32,
    pub column: u32,
}

impl Mark {
    /// Whether nothing is written there: an absent value, which reads as null.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// One value's location. Nodes stand in the order of the file, each before its children.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub value: Mark,
    /// The key, where the value has one; otherwise the same as `value`.
    pub key: Mark,
    /// How many nodes it takes up, itself included.
    pub size: u32,
    /// For an alias the node that it repeats, otherwise itself.
    pub target: u32,
}

/// What a node holds; needed only until the values are made.
#[derive(Debug)]
pub(super) enum Content<'t> {
    Plain(Cow<'t, str>),
    Quoted(Cow<'t, str>),
    Sequence,
    Map,
    Alias,
}

/// The nodes of one file with what they hold.
#[derive(Debug, Default)]
pub(super) struct Tree<'t> {
    pub nodes: Vec<Node>,
    /// For each node its key (empty where it has none) and its content.
    pub contents: Vec<(Cow<'t, str>, Content<'t>)>,
    /// What was refused without stopping.
    pub problems: Vec<Problem>,
}

struct Open<'t> {
    node: usize,
    is_map: bool,
    key: Option<(Cow<'t, str>, Mark)>,
}

struct Builder<'f, 't> {
    file: &'f str,
    text: &'t str,
    tree: Tree<'t>,
    open: Vec<Open<'t>>,
    anchors: HashMap<usize, usize>,
    documents: usize,
}

impl<'t> Tree<'t> {
    /// Reads a text as one document. Structural mistakes end the reading with one problem.
    pub fn read(file: &str, text: &'t str) -> Result<Self, Problem> {
        let mut options = granit_parser::options! {
            disallow_directives: true,
            flow_nesting_limit: DEEPEST + 1,
            block_nesting_limit: DEEPEST + 1,
        };
        options.set_emit_comments(false);
        let mut parser = Parser::<StrInput<'t>>::new_from_str_with_options(text, options);
        let mut builder = Builder { file, text, tree: Tree::default(), open: Vec::new(), anchors: HashMap::new(), documents: 0 };
        builder.tree.nodes.reserve(text.len() / 12);
        builder.tree.contents.reserve(text.len() / 12);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| syntax::problem(file, text, &error))?;
            builder.take(event, &span)?;
        }
        let mut tree = builder.tree;
        tree.nodes.shrink_to_fit();
        match tree.contents.first() {
            None => Err(syntax::empty(file)),
            Some((_, Content::Plain(_))) if tree.nodes[0].value.is_empty() => Err(syntax::empty(file)),
            Some(_) => Ok(tree),
        }
    }
}

impl<'t> Builder<'_, 't> {
    fn take(&mut self, event: Event<'t>, span: &Span) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document begins here";
                    return Err(self
                        .problem(code::SEVERAL_DOCUMENTS, mark(span), message)
                        .hint("Remove the `---` line, or move what follows it to a file of its own."));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.scalar(text, style, anchor, span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.begin(Content::Sequence, anchor, span)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.begin(Content::Map, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: Cow<'t, str>, style: ScalarStyle, anchor: usize, span: &Span) -> Result<(), Problem> {
        let plain = style == ScalarStyle::Plain;
        let mut at = mark(span);
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            // The parser counts the indentation of what follows as part of the scalar.
            let source = self.text.get(at.start as usize..at.end as usize).unwrap_or_default();
            at.end = at.start + narrow(source.trim_end_matches(' ').len());
        }
        match self.open.last_mut() {
            Some(open) if open.is_map && open.key.is_none() => {
                if plain {
                    self.refuse_key(&text, at);
                }
                if let Some(open) = self.open.last_mut() {
                    open.key = Some((text, at));
                }
                Ok(())
            }
            _ => self.push(if plain { Content::Plain(text) } else { Content::Quoted(text) }, anchor, at).map(|_| ()),
        }
    }

    /// Refuses a plain key that is not text, and goes on.
    fn refuse_key(&mut self, text: &str, at: Mark) {
        if text == "<<" {
            let problem = self.problem(code::MERGE_KEY, at, "merge keys (`<<`) are not understood");
            self.report(problem.hint("Write the keys out."));
        } else if !matches!(super::scalar::resolve(text), Ok(serde_json::Value::String(_))) {
            let (message, hint) = match text {
                _ if at.is_empty() => ("a key is missing before `:`".to_owned(), "Write the key, or remove the entry.".to_owned()),
                text => {
                    let text = excerpt::of(text);
                    (format!("the key `{text}` is not text"), format!("Put it in quotes: `\"{text}\"`."))
                }
            };
            let problem = self.problem(code::KEY_IS_NOT_TEXT, at, message);
            self.report(problem.hint(hint));
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: &Span) {
        if let Some(tag) = tag {
            let at = span.tag_span().map_or_else(|| mark(span), |span| mark(&span));
            let problem = self.problem(code::TAG, at, format!("the tag `{}` is not understood", excerpt::of(&tag.original())));
            self.report(problem.hint("Write the plain value; put it in quotes where it must be text."));
        }
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<(), Problem> {
        let at = mark(span);
        let target = self.anchors.get(&anchor).copied();
        if self.awaits_key() {
            return Err(self.problem(code::KEY_IS_NOT_TEXT, at, "an alias stands where a key belongs").hint("Write the key itself."));
        }
        let recursive = target.is_none_or(|target| self.open.iter().any(|open| open.node == target));
        let Some(target) = target.filter(|_| !recursive) else {
            return Err(self.problem(code::ALIAS, at, "the alias repeats a value that it is part of").hint("Write the value itself."));
        };
        let index = self.push(Content::Alias, 0, at)?;
        self.tree.nodes[index].target = narrow(target);
        Ok(())
    }

    fn begin(&mut self, content: Content<'t>, anchor: usize, span: &Span) -> Result<(), Problem> {
        let at = mark(span);
        if self.awaits_key() {
            let message = "a list or map stands where a key belongs";
            return Err(self.problem(code::KEY_IS_NOT_TEXT, at, message).hint("Keys are text; an expression or `{…}` goes in quotes."));
        }
        if self.open.len() >= DEEPEST {
            return Err(syntax::too_deep(self.place(at)));
        }
        let is_map = matches!(content, Content::Map);
        let node = self.push(content, anchor, at)?;
        self.open.push(Open { node, is_map, key: None });
        Ok(())
    }

    fn end(&mut self, span: &Span) {
        let Some(open) = self.open.pop() else { return };
        let size = self.tree.nodes.len() - open.node;
        let last_end = self.tree.nodes.last().map_or(0, |node| node.value.end);
        let node = &mut self.tree.nodes[open.node];
        node.size = narrow(size);
        // A flow collection ends with its bracket, a block collection with its last value.
        let end = mark(span);
        node.value.end = if end.end > end.start { end.end } else { last_end.max(node.value.end) };
    }

    fn push(&mut self, content: Content<'t>, anchor: usize, at: Mark) -> Result<usize, Problem> {
        let index = self.tree.nodes.len();
        if index >= MOST_NODES {
            return Err(syntax::too_many_values(self.place(at)));
        }
        let (key, key_at) = match self.open.last_mut().and_then(|open| open.key.take()) {
            Some((key, key_at)) => (key, key_at),
            None => (Cow::Borrowed(""), at),
        };
        if anchor != 0 {
            if key == "status" && self.open.len() == 1 {
                let problem = self.problem(code::ANCHORED_STATUS, at, "`status` has an anchor");
                self.report(problem.hint("Write `status` without an anchor."));
            }
            self.anchors.insert(anchor, index);
        }
        self.tree.nodes.push(Node { value: at, key: key_at, size: 1, target: narrow(index) });
        self.tree.contents.push((key, content));
        Ok(index)
    }

    fn report(&mut self, problem: Problem) {
        if self.tree.problems.len() <= MOST_PROBLEMS {
            self.tree.problems.push(problem);
        }
    }

    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_map && open.key.is_none())
    }

    fn place(&self, at: Mark) -> Place {
        Place { file: self.file.to_owned(), line: at.line, column: at.column }
    }

    fn problem(&self, code: &str, at: Mark, message: impl Into<String>) -> Problem {
        Problem::error(code, self.place(at), message)
    }
}

fn mark(span: &Span) -> Mark {
    let bytes = span.byte_range().unwrap_or_default();
    Mark { start: narrow(bytes.start), end: narrow(bytes.end), line: narrow(span.start.line()), column: narrow(span.start.col() + 1) }
}

/// Offsets fit: no file is larger than the limit on size.
pub(super) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
