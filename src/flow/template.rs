//! Values with expressions in them: evaluated in place, everything else stays as written.

use jaq_json::Val;
use serde_json::Value;

use super::expression::value::{text_of, text_to_jq, to_jq};
use super::expression::{Arguments, Expression};

/// A value as written in a flow.
#[derive(Debug)]
pub(crate) enum Template {
    /// Nothing in it is evaluated.
    Literal(Val),
    /// `${ … }` alone.
    Expression(Box<Expression>),
    /// Text with `${ … }` in it.
    Text(Vec<Piece>),
    List(Vec<Template>),
    Map(Vec<(Val, Template)>),
}

/// A piece of a text.
#[derive(Debug)]
pub(crate) enum Piece {
    Plain(String),
    Expression(Box<Expression>),
}

impl Template {
    /// The value, against the task's data and the flow's variables.
    pub(crate) fn evaluate(&self, input: &Val, arguments: &dyn Arguments) -> Result<Val, String> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.evaluate(input.clone(), arguments),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Plain(plain) => text.push_str(plain),
                        Piece::Expression(expression) => text.push_str(&text_of(&expression.evaluate(input.clone(), arguments)?)),
                    }
                }
                Ok(text_to_jq(&text))
            }
            Self::List(items) => items.iter().map(|item| item.evaluate(input, arguments)).collect(),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((key.clone(), value.evaluate(input, arguments)?)));
                Ok(Val::obj(entries.collect::<Result<_, String>>()?))
            }
        }
    }

    /// A template without expressions.
    pub(crate) fn literal(value: &Value) -> Self {
        Self::Literal(to_jq(value))
    }
}
