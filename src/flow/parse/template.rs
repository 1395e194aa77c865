//! Finds the expressions in values: `${ … }` alone or within text, and places that hold nothing but an expression.

use serde_json::Value;

use super::Parser;
use crate::flow::codes;
use crate::flow::expression::guard;
use crate::flow::expression::value::{text_to_jq, to_jq};
use crate::flow::expression::{Argument, Expression};
use crate::flow::finding::{At, Finding};
use crate::flow::template::{Piece, Template};
use crate::manifest::cut;

/// How many doubts are told of one document.
const MOST_DOUBTS: usize = 100;
/// How much of a text a message repeats, in characters.
const LONGEST_TEXT: usize = 60;

impl Parser<'_> {
    /// A value that may hold expressions. Where one of them is wrong the rest stands, so that all are found.
    pub(crate) fn template(&mut self, value: &Value, at: &At<'_>) -> Template {
        match value {
            literal if self.declared.literal => Template::literal(literal),
            Value::String(text) if text.contains("${") => self.text_template(text, at),
            Value::String(text) if self.declared.loose => self.loose(text, at),
            Value::Array(items) => {
                let items: Vec<_> = items.iter().enumerate().map(|(index, item)| self.template(item, &at.index(index))).collect();
                if items.iter().all(is_literal) { Template::Literal(to_jq(value)) } else { Template::List(items) }
            }
            Value::Object(map) => {
                let entries: Vec<_> = map.iter().map(|(key, value)| (text_to_jq(key), self.template(value, &at.key(key)))).collect();
                if entries.iter().all(|(_, value)| is_literal(value)) { Template::Literal(to_jq(value)) } else { Template::Map(entries) }
            }
            Value::String(text) => {
                self.doubt(text, at);
                Template::Literal(to_jq(value))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Template::Literal(to_jq(value)),
        }
    }

    /// Doubts that text is meant as it is where it reads like an expression.
    fn doubt(&mut self, text: &str, at: &At<'_>) {
        if self.doubts.len() < MOST_DOUBTS && self.begins_like_one(text) && Expression::parse(text, self.scope()).is_ok() {
            let shown = cut(text, LONGEST_TEXT);
            let message = format!("`{shown}` is text here, not an expression");
            let hint = format!("Write `${{ {shown} }}` for its value. If the text is meant, `${{ \"…\" }}` says so.");
            self.doubts.push(Finding::new(at, codes::READS_LIKE_EXPRESSION, message).hint(hint));
        }
    }

    /// Whether text begins with a path, or with one of the variables that there are.
    pub(super) fn begins_like_one(&self, text: &str) -> bool {
        if let Some(rest) = text.strip_prefix('.') {
            return rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '[' | '"'));
        }
        let known = Argument::ALL.iter().map(|argument| argument.variable()).chain(self.locals.iter().map(String::as_str));
        let goes_on = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        text.starts_with('$') && known.filter_map(|name| text.strip_prefix(name)).any(goes_on)
    }

    /// `from` or `as`: text is an expression, with or without `${ }`; anything else is a value with expressions in it.
    pub(crate) fn transform(&mut self, value: &Value, at: &At<'_>) -> Template {
        match value {
            Value::String(text) if !text.contains("${") => match self.expression(text, at) {
                Some(expression) => Template::Expression(Box::new(expression)),
                None => Template::literal(&Value::Null),
            },
            other => self.template(other, at),
        }
    }

    /// `if` or `when`: an expression, with or without `${ }`.
    pub(crate) fn condition(&mut self, value: &Value, at: &At<'_>, what: &str) -> Option<Expression> {
        let text = match value {
            Value::Bool(truth) => truth.to_string(),
            other => self.text(other, at, what)?.trim().to_owned(),
        };
        let source = match text.strip_prefix("${") {
            Some(rest) if guard::end(rest).is_some_and(|end| end + 1 == rest.len()) => &rest[..rest.len() - 1],
            Some(_) | None => &text,
        };
        self.expression(source, at)
    }

    /// Text that is an expression if it reads as one.
    fn loose(&mut self, text: &str, at: &At<'_>) -> Template {
        match Expression::parse(text, self.scope()) {
            Ok(expression) => {
                self.notice(&expression);
                Template::Loose(Box::new(expression), text_to_jq(text))
            }
            Err(flaws) => {
                // What is no expression for this alone was meant as one.
                self.flawed(flaws.into_iter().filter(|flaw| flaw.code == codes::NO_VALUE_HERE), at);
                Template::Literal(text_to_jq(text))
            }
        }
    }

    fn text_template(&mut self, text: &str, at: &At<'_>) -> Template {
        let (mut pieces, mut is_good) = (Vec::new(), true);
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once("${") {
            let Some(end) = guard::end(after) else {
                self.found(unclosed(after, at));
                return Template::literal(&Value::Null);
            };
            if !plain.is_empty() {
                pieces.push(Piece::Plain(plain.to_owned()));
            }
            match self.expression(&after[..end], at) {
                Some(expression) => pieces.push(Piece::Expression(Box::new(expression))),
                // Those after it may be wrong too.
                None => is_good = false,
            }
            rest = &after[end + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        if is_good { alone(pieces) } else { Template::literal(&Value::Null) }
    }
}

/// An expression with nothing but blanks around it keeps the type of its value.
fn alone(mut pieces: Vec<Piece>) -> Template {
    let is_blank = |piece: &Piece| matches!(piece, Piece::Plain(plain) if plain.trim().is_empty());
    if pieces.iter().filter(|piece| !is_blank(piece)).count() == 1
        && !pieces.iter().any(|piece| matches!(piece, Piece::Plain(plain) if !plain.trim().is_empty()))
    {
        pieces.retain(|piece| !is_blank(piece));
        if let Some(Piece::Expression(expression)) = pieces.pop() {
            return Template::Expression(expression);
        }
    }
    Template::Text(pieces)
}

fn unclosed(after: &str, at: &At<'_>) -> Finding {
    if let Err(excess) = guard::check(after) {
        return Finding::new(at, codes::EXPRESSION_TOO_BIG, excess.to_string());
    }
    Finding::new(at, codes::EXPRESSION_SYNTAX, "the expression's `${` has no `}`").hint("Close it, or write `$` and `{` apart.")
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}
