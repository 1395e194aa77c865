//! Values with expressions in them: evaluated in place, everything else stays as written.

use jaq_json::Val;
use serde_json::Value;

use super::data::Data;
use super::expression::value::{text_of, text_to_jq, to_jq};
use super::expression::{Arguments, Expression, Unevaluated};
use super::uri::Part;

/// A value as written in a flow.
#[derive(Debug)]
pub(crate) enum Template {
    /// Nothing in it is evaluated.
    Literal(Val),
    /// `${ … }` alone.
    Expression(Box<Expression>),
    /// Text with `${ … }` in it.
    Text(Vec<Piece>),
    /// Text that is an expression if it can be evaluated, and itself otherwise: `evaluate.mode: loose`.
    Loose(Box<Expression>, Val),
    /// Text that is an address with `{name}` in it.
    Address(Vec<Part>),
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
    pub(crate) fn evaluate(&self, input: &Data, arguments: &dyn Arguments) -> Result<Data, Unevaluated> {
        match self {
            Self::Literal(value) => Ok(Data::plain(value.clone())),
            Self::Expression(expression) => expression.evaluate(input, arguments),
            Self::Text(pieces) => text(pieces, input, arguments),
            Self::Loose(expression, text) => Ok(expression.evaluate(input, arguments).unwrap_or_else(|_| Data::plain(text.clone()))),
            Self::Address(parts) => super::uri::expand(parts, input),
            Self::List(items) => Ok(Data::list(items.iter().map(|item| item.evaluate(input, arguments)).collect::<Result<_, _>>()?)),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((key.clone(), value.evaluate(input, arguments)?)));
                Ok(Data::map(entries.collect::<Result<_, Unevaluated>>()?))
            }
        }
    }

    /// What it begins with, where that is text as written.
    pub(crate) fn beginning(&self) -> Option<String> {
        match self {
            Self::Literal(value) => Some(text_of(value)),
            Self::Text(pieces) => match pieces.first() {
                Some(Piece::Plain(plain)) => Some(plain.clone()),
                Some(Piece::Expression(_)) | None => None,
            },
            Self::Expression(_) | Self::Loose(..) | Self::Address(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// A template without expressions.
    pub(crate) fn literal(value: &Value) -> Self {
        Self::Literal(to_jq(value))
    }
}

fn text(pieces: &[Piece], input: &Data, arguments: &dyn Arguments) -> Result<Data, Unevaluated> {
    let (mut real, mut stand_ins) = (String::new(), [String::new(), String::new()]);
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => {
                real.push_str(plain);
                stand_ins.iter_mut().for_each(|stand_in| stand_in.push_str(plain));
            }
            Piece::Expression(expression) => {
                let value = expression.evaluate(input, arguments)?;
                real.push_str(&text_of(value.real()));
                stand_ins.iter_mut().zip(value.stand_ins()).for_each(|(stand_in, value)| stand_in.push_str(&text_of(value)));
            }
        }
    }
    Ok(Data::new(text_to_jq(&real), stand_ins.map(|stand_in| text_to_jq(&stand_in))))
}
