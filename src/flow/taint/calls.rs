//! What calls of functions can give of secrets: most give no more than what they are called on and with, some give less.

use jaq_core::load::parse::{BinaryOp, Term};

use super::read::{Reader, keys};
use super::shade::Shade;

/// What tells something about a value, and is not made of it.
const TELLING: [&str; 36] = [
    "length",
    "utf8bytelength",
    "not",
    "type",
    "test",
    "startswith",
    "endswith",
    "contains",
    "inside",
    "has",
    "in",
    "any",
    "all",
    "IN",
    "isempty",
    "isboolean",
    "isnumber",
    "isstring",
    "isarray",
    "isobject",
    "isnan",
    "isinfinite",
    "isfinite",
    "isnormal",
    "index",
    "rindex",
    "indices",
    "true",
    "false",
    "null",
    "empty",
    "infinite",
    "nan",
    "have_literal_numbers",
    "have_decnum",
    "bsearch",
];

/// What gives its input as it is, in part or in another order.
const SELECTING: [&str; 18] = [
    "select",
    "values",
    "nulls",
    "booleans",
    "numbers",
    "finites",
    "normals",
    "strings",
    "arrays",
    "objects",
    "iterables",
    "scalars",
    "sort",
    "sort_by",
    "reverse",
    "unique",
    "unique_by",
    "toarray",
];

impl<'s> Reader<'_, 's> {
    /// What a call gives for an input.
    pub(super) fn call(&mut self, name: &'s str, arguments: &[Term<&'s str>], input: &Shade) -> Shade {
        let signature = (name, arguments.len());
        if let Some((_, body)) = self.functions.iter().rev().find(|(known, _)| *known == signature) {
            let body = Shade::of(body.clone());
            return self.gathered(arguments, input).or(Some(&body));
        }
        match signature {
            (name, _) if TELLING.contains(&name) => Shade::default(),
            (name, _) if SELECTING.contains(&name) => input.clone(),
            ("map", 1) => Shade::list(self.term(&arguments[0], &input.part())),
            ("map_values", 1) => input.each(|part| self.term(&arguments[0], part)),
            ("keys" | "keys_unsorted", _) => Shade::list(input.everywhere()),
            ("to_entries", 0) => {
                let mut entry = Shade::member("key", input.everywhere());
                entry.join(&Shade::member("value", input.part()));
                Shade::list(entry)
            }
            ("first" | "last" | "min" | "max", 0) | ("min_by" | "max_by" | "nth", 1) => input.item(),
            ("add", 0) => input.part(),
            ("first" | "last" | "add", 1) => self.term(&arguments[0], input),
            ("limit" | "nth" | "skip", 2) => self.term(&arguments[1], input),
            ("group_by", 1) => Shade::list(input.clone()),
            ("del", 1) => self.deleted(&arguments[0], input),
            ("pick", 1) => self.picked(&arguments[0], input),
            _ => self.gathered(arguments, input),
        }
    }

    /// Whatever a function makes of its input and its arguments, it has no more.
    fn gathered(&mut self, arguments: &[Term<&'s str>], input: &Shade) -> Shade {
        let flat = input.flat();
        arguments.iter().fold(flat.clone(), |all, argument| all.or(Some(&self.term(argument, &flat).flat())))
    }

    fn deleted(&mut self, paths: &Term<&'s str>, input: &Shade) -> Shade {
        let each = alternatives(paths).into_iter();
        each.fold(input.clone(), |left, path| match keys(path) {
            Some(keys) => left.with(&keys, Shade::default()),
            None => left,
        })
    }

    fn picked(&mut self, paths: &Term<&'s str>, input: &Shade) -> Shade {
        let each = alternatives(paths).into_iter().map(keys).collect::<Option<Vec<_>>>();
        let Some(each) = each else { return input.clone() };
        each.into_iter().fold(input.everywhere(), |picked, keys| {
            let end = keys.iter().fold(input.clone(), |value, key| value.key(key));
            picked.or(Some(&Shade::default().with(&keys, end)))
        })
    }
}

/// The terms between commas.
fn alternatives<'t, 's>(term: &'t Term<&'s str>) -> Vec<&'t Term<&'s str>> {
    match term {
        Term::BinOp(left, BinaryOp::Comma, right) => [alternatives(left), alternatives(right)].concat(),
        single => vec![single],
    }
}
