//! What values as written, and the variables in them, can hold of secrets.

use std::collections::{BTreeMap, BTreeSet};

use super::read::Reader;
use super::shade::{Origins, Shade};
use super::{Analysis, Scene};
use crate::flow::expression::Expression;
use crate::flow::expression::value::text_of;
use crate::flow::model::Authentication;
use crate::flow::template::{Piece, Template};
use crate::flow::uri::Part;
use crate::manifest::escape;

impl Analysis<'_> {
    /// What a value as written can hold.
    pub(super) fn template(&mut self, template: &Template, pointer: &str, input: &Shade, scene: Scene<'_>) -> Shade {
        match template {
            Template::Literal(_) => Shade::default(),
            Template::Expression(expression) | Template::Loose(expression, _) => self.expression(expression, pointer, input, scene),
            Template::Text(pieces) => pieces.iter().fold(Shade::default(), |text, piece| match piece {
                Piece::Plain(_) => text,
                Piece::Expression(expression) | Piece::Step(expression) => {
                    text.or(Some(&self.expression(expression, pointer, input, scene).flat()))
                }
            }),
            Template::Address(parts) => expanded(parts, input),
            Template::List(items) => items.iter().enumerate().fold(Shade::default(), |list, (index, item)| {
                let item = self.template(item, &format!("{pointer}/{index}"), input, scene);
                list.or(Some(&Shade::list(item)))
            }),
            Template::Map(entries) => entries.iter().fold(Shade::default(), |map, (key, value)| {
                let key = text_of(key);
                let value = self.template(value, &format!("{pointer}/{}", escape(&key)), input, scene);
                map.or(Some(&Shade::member(&key, value)))
            }),
        }
    }

    /// What the result of an expression can hold.
    pub(super) fn expression(&mut self, expression: &Expression, pointer: &str, input: &Shade, scene: Scene<'_>) -> Shade {
        if !self.effort.step() {
            return Shade::default();
        }
        let known: BTreeMap<&str, Shade> =
            expression.variables().map(|name| (name, self.variable(name, pointer, scene))).filter(|(_, shade)| !shade.is_clean()).collect();
        if input.is_clean() && known.is_empty() {
            return Shade::default();
        }
        let Some(term) = expression.term() else { return Shade::default() };
        let given = |name: &str| known.get(name).cloned().unwrap_or_default();
        Reader::new(&given, &self.effort).term(&term, input)
    }

    fn variable(&mut self, name: &str, pointer: &str, scene: Scene<'_>) -> Shade {
        match name {
            "$connection" => {
                let program = self.program;
                let each = program.secrets.iter().map(|secret| Shade::member(secret, Shade::of([self.number(secret, pointer)].into())));
                each.reduce(|all, one| all.or(Some(&one))).unwrap_or_default()
            }
            "$authorization" => {
                let all = scene.authorization.iter().map(|secret| self.number(secret, pointer)).collect();
                Shade::member("parameter", Shade::of(all))
            }
            name => (scene.variables)(name),
        }
    }

    /// The secrets of an origin's number.
    pub(super) fn secrets_of(&self, origins: &Origins) -> BTreeSet<Box<str>> {
        origins.iter().map(|number| self.origins[*number as usize].0.clone()).collect()
    }

    /// What the credentials of a request are made of, as far as they are part of the request itself.
    pub(super) fn credentials(&mut self, how: &Authentication, pointer: &str, input: &Shade, scene: Scene<'_>) -> Shade {
        let parts: Vec<&Template> = match how {
            Authentication::Basic { username, password } => vec![username, password],
            Authentication::Bearer(value) | Authentication::KeyInHeader { value, .. } | Authentication::KeyInQuery { value, .. } => {
                vec![value]
            }
            Authentication::Digest { .. } | Authentication::OAuth2(_) | Authentication::OAuth2InSecret { .. } => Vec::new(),
        };
        parts.into_iter().fold(Shade::default(), |all, part| all.or(Some(&self.template(part, pointer, input, scene).flat())))
    }
}

/// What an address can hold that names parts of the input.
pub(super) fn expanded(parts: &[Part], input: &Shade) -> Shade {
    parts.iter().fold(Shade::default(), |text, part| match part {
        Part::Plain(_) => text,
        Part::Variable(name) | Part::Required(name) => text.or(Some(&input.key(name).flat())),
    })
}
