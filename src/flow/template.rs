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
    /// One that makes a step of a path, and so has to give something that does not lead elsewhere.
    Step(Box<Expression>),
}

/// The pieces of a path, of which those after a slash are steps.
pub(crate) fn steps(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut before = String::new();
    let step = |piece: Piece| match piece {
        Piece::Expression(expression) if before.ends_with('/') && !before.contains(['?', '#']) => {
            before.push('x');
            Piece::Step(expression)
        }
        Piece::Expression(_) | Piece::Step(_) => {
            before.push('x');
            piece
        }
        Piece::Plain(plain) => {
            before.push_str(&plain);
            Piece::Plain(plain)
        }
    };
    pieces.into_iter().map(step).collect()
}

/// The text of a step of a path.
fn step(value: &Val) -> Result<String, Unevaluated> {
    match text_of(value) {
        _ if *value == Val::Null => Err("a `${ … }` of the path gives nothing".into()),
        text if text.is_empty() => Err("a `${ … }` of the path gives an empty text".into()),
        dots if dots.split('/').any(|step| matches!(step, "." | "..")) => {
            Err(format!("a `${{ … }}` of the path gives `{dots}`, which would lead to another address").into())
        }
        text => Ok(text),
    }
}

impl Template {
    /// The value, against the task's data and the flow's variables.
    pub(crate) fn evaluate(&self, input: &Data, arguments: &dyn Arguments) -> Result<Data, Unevaluated> {
        match self {
            Self::Literal(value) => Ok(Data::plain(value.clone())),
            Self::Expression(expression) => expression.evaluate(input, arguments),
            Self::Text(pieces) => text(pieces, input, arguments),
            Self::Loose(expression, text) => match expression.evaluate(input, arguments) {
                Err(Unevaluated::Failed(_) | Unevaluated::NoSecret(_)) => Ok(Data::plain(text.clone())),
                evaluated @ (Ok(_) | Err(Unevaluated::OnSecret(_))) => evaluated,
            },
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
                Some(Piece::Expression(_) | Piece::Step(_)) | None => None,
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
            Piece::Step(expression) => {
                let value = expression.evaluate(input, arguments)?;
                real.push_str(&if value.is_secret() {
                    step(value.real()).map_err(|_| Unevaluated::OnSecret("a secret is no step of a path".to_owned()))?
                } else {
                    step(value.real())?
                });
                stand_ins.iter_mut().zip(value.stand_ins()).for_each(|(stand_in, value)| stand_in.push_str(&text_of(value)));
            }
        }
    }
    Ok(Data::new(text_to_jq(&real), stand_ins.map(|stand_in| text_to_jq(&stand_in))))
}
