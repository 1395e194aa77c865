//! What jaq cannot do with an expression as it stands: updates along paths that it can only read become calls of definitions in
//! `parity.jq`, and jq's own place in the text a value.

use std::mem::take;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::load::span;
use jaq_core::path::{Opt, Part};

/// The variable that jq replaces by its own place.
pub(super) const PLACE: &str = "$__loc__";
/// The variable that holds the right side of an update.
const RIGHT: &str = "$__right";

/// Makes an expression mean what it means to jq.
pub(super) fn as_jq<'s>(term: &mut Term<&'s str>, source: &'s str) {
    Meaning { source }.term(term);
}

struct Meaning<'s> {
    source: &'s str,
}

impl<'s> Meaning<'s> {
    fn term(&self, term: &mut Term<&'s str>) {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Arr(None) | Term::Break(_) => {}
            Term::Str(_, parts) => self.text(parts),
            Term::Arr(Some(inner)) | Term::Neg(inner) | Term::Label(_, inner) => self.term(inner),
            Term::Obj(entries) => entries.iter_mut().for_each(|(key, value)| self.entry(key, value)),
            Term::BinOp(left, operator, right) => {
                self.term(left);
                self.operator(operator);
                self.term(right);
                let (left, right) = (take(&mut **left), take(&mut **right));
                *term = operation(left, operator.clone(), right);
            }
            Term::Fold(_, over, pattern, arguments) => {
                self.term(over);
                self.pattern(pattern);
                arguments.iter_mut().for_each(|argument| self.term(argument));
            }
            Term::TryCatch(attempt, handler) => {
                self.term(attempt);
                handler.iter_mut().for_each(|handler| self.term(handler));
            }
            Term::IfThenElse(branches, otherwise) => {
                branches.iter_mut().for_each(|(condition, then)| {
                    self.term(condition);
                    self.term(then);
                });
                otherwise.iter_mut().for_each(|otherwise| self.term(otherwise));
            }
            Term::Def(definitions, inner) => {
                definitions.iter_mut().for_each(|Def { body, .. }| self.term(body));
                self.term(inner);
            }
            Term::Call(_, arguments) => arguments.iter_mut().for_each(|argument| self.term(argument)),
            Term::Var(name) if *name == PLACE => *term = self.place(name),
            Term::Var(_) => {}
            Term::Path(from, path) => {
                self.term(from);
                path.0.iter_mut().for_each(|(part, _)| self.part(part));
            }
        }
    }

    fn part(&self, part: &mut Part<Term<&'s str>>) {
        match part {
            Part::Index(index) => self.term(index),
            Part::Range(from, to) => from.iter_mut().chain(to).for_each(|bound| self.term(bound)),
        }
    }

    fn text(&self, parts: &mut [StrPart<&'s str, Term<&'s str>>]) {
        for part in parts {
            if let StrPart::Term(inner) = part {
                self.term(inner);
            }
        }
    }

    fn entry(&self, key: &mut Term<&'s str>, value: &mut Option<Term<&'s str>>) {
        if value.is_none() && matches!(key, Term::Var(name) if *name == PLACE) {
            let mut place = take(key);
            self.term(&mut place);
            (*key, *value) = (text(&PLACE[1..]), Some(place));
            return;
        }
        // A variable alone is its own key.
        if !matches!((&key, &value), (Term::Var(_), None)) {
            self.term(key);
        }
        value.iter_mut().for_each(|value| self.term(value));
    }

    fn operator(&self, operator: &mut BinaryOp<&'s str>) {
        if let BinaryOp::Pipe(Some(pattern)) = operator {
            self.pattern(pattern);
        }
    }

    fn pattern(&self, pattern: &mut Pattern<&'s str>) {
        match pattern {
            Pattern::Var(_) => {}
            Pattern::Arr(items) => items.iter_mut().for_each(|item| self.pattern(item)),
            Pattern::Obj(entries) => entries.iter_mut().for_each(|(key, item)| {
                if !matches!(key, Term::Var(_)) {
                    self.term(key);
                }
                self.pattern(item);
            }),
        }
    }

    fn place(&self, name: &'s str) -> Term<&'s str> {
        let before = &self.source[..span(self.source, name).start];
        // A number's text would have to be part of the source.
        let digits = (before.matches('\n').count() + 1).to_string().chars().map(StrPart::Char).collect();
        let line = then(Term::Str(None, digits), call("tonumber", Vec::new()));
        Term::Obj(vec![(text("file"), Some(text("<top-level>"))), (text("line"), Some(line))])
    }
}

fn operation<'s>(left: Term<&'s str>, operator: BinaryOp<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    match operator {
        BinaryOp::Assign if !is_known(&left) => call("_assign", vec![left, right]),
        BinaryOp::Update if !is_known(&left) => call("_update", vec![left, right]),
        BinaryOp::UpdateMath(math) if !is_known(&left) => updated(left, BinaryOp::Math(math), right),
        BinaryOp::UpdateAlt if !is_known(&left) => updated(left, BinaryOp::Alt, right),
        BinaryOp::Pipe(_)
        | BinaryOp::Comma
        | BinaryOp::Alt
        | BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Cmp(_)
        | BinaryOp::Math(_)
        | BinaryOp::Assign
        | BinaryOp::Update
        | BinaryOp::UpdateMath(_)
        | BinaryOp::UpdateAlt => binary(left, operator, right),
    }
}

/// Whether a part of a path is one place: of several, jaq would change the second after the first has moved it.
fn is_single(part: &Part<Term<&str>>) -> bool {
    let is_many = |term: &Term<&str>| matches!(term, Term::BinOp(_, BinaryOp::Comma, _));
    match part {
        Part::Index(index) => !is_many(index),
        Part::Range(from, to) => !from.iter().chain(to).any(is_many),
    }
}

/// Whether jaq knows how to update what a term leads to, if it is there.
fn is_known(term: &Term<&str>) -> bool {
    match term {
        Term::Id | Term::Recurse => true,
        // What may be left out along the way must not be made by the update.
        Term::Path(from, path) => is_known(from) && path.0.iter().all(|(part, opt)| is_single(part) && matches!(opt, Opt::Essential)),
        Term::BinOp(left, BinaryOp::Pipe(_) | BinaryOp::Comma | BinaryOp::Alt, right) => is_known(left) && is_known(right),
        Term::IfThenElse(branches, otherwise) => {
            branches.iter().all(|(_, then)| is_known(then)) && otherwise.iter().all(|otherwise| is_known(otherwise))
        }
        Term::Call(name, arguments) => matches!((*name, arguments.len()), ("select", 1) | ("recurse", 0) | ("empty", 0)),
        Term::BinOp(..)
        | Term::Num(_)
        | Term::Str(..)
        | Term::Arr(_)
        | Term::Obj(_)
        | Term::Neg(_)
        | Term::Label(..)
        | Term::Break(_)
        | Term::Fold(..)
        | Term::TryCatch(..)
        | Term::Def(..)
        | Term::Var(_) => false,
    }
}

/// `left op= right` is `right as $x | left |= (. op $x)`.
fn updated<'s>(left: Term<&'s str>, operator: BinaryOp<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    let update = call("_update", vec![left, binary(Term::Id, operator, Term::Var(RIGHT))]);
    binary(right, BinaryOp::Pipe(Some(Pattern::Var(RIGHT))), update)
}

fn binary<'s>(left: Term<&'s str>, operator: BinaryOp<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(left), operator, Box::new(right))
}

fn then<'s>(first: Term<&'s str>, second: Term<&'s str>) -> Term<&'s str> {
    binary(first, BinaryOp::Pipe(None), second)
}

fn call<'s>(name: &'s str, arguments: Vec<Term<&'s str>>) -> Term<&'s str> {
    Term::Call(name, arguments)
}

fn text(text: &str) -> Term<&str> {
    Term::Str(None, vec![StrPart::Str(text)])
}
