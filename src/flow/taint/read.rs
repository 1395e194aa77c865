//! What the result of an expression can hold of secrets, by what its input and its variables can hold.
//!
//! A secret that was cut, joined, encoded or decoded is one still. What only tells something about it is none: comparisons, `length`,
//! `type`, `test` and their like; neither is what is chosen by a condition on it. A warning about those would mostly be wrong. Where such
//! a result differs with the secret, a run redacts it all the same.

use std::cell::Cell;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

use super::shade::{Origins, Shade};
use crate::flow::expression::library::Signature;
use crate::flow::expression::names;

/// How often a loop of an expression is followed before its result counts for everything in it.
const TURNS: usize = 4;
/// How deep an expression is followed; what lies deeper counts for all that it can read. The parser's own bounds are not far away.
const DEEPEST: usize = 250;

/// How much is left of what following secrets through a connector may take.
#[derive(Debug)]
pub(super) struct Effort(Cell<u32>);

impl Effort {
    pub(super) fn new(steps: u32) -> Self {
        Self(Cell::new(steps))
    }

    /// Takes a step; false where none is left.
    pub(super) fn step(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// A walk over one expression.
pub(super) struct Reader<'r, 's> {
    /// What the flow's variables can hold.
    given: &'r dyn Fn(&str) -> Shade,
    effort: &'r Effort,
    bound: Vec<(&'s str, Shade)>,
    /// The expression's own functions, with what their bodies read.
    pub(super) functions: Vec<(Signature<'s>, Origins)>,
    depth: usize,
}

impl<'r, 's> Reader<'r, 's> {
    pub(super) fn new(given: &'r dyn Fn(&str) -> Shade, effort: &'r Effort) -> Self {
        Self { given, effort, bound: Vec::new(), functions: Vec::new(), depth: 0 }
    }

    /// What a term gives for an input.
    pub(super) fn term(&mut self, term: &Term<&'s str>, input: &Shade) -> Shade {
        if !self.effort.step() {
            return Shade::default();
        }
        if self.depth >= DEEPEST {
            return self.unread(term, input);
        }
        self.depth += 1;
        let read = self.kind(term, input);
        self.depth -= 1;
        read
    }

    // Each kind of term has a function of its own: this one is on the stack once for every level.
    fn kind(&mut self, term: &Term<&'s str>, input: &Shade) -> Shade {
        match term {
            Term::Id => input.clone(),
            Term::Num(_) | Term::Arr(None) | Term::Break(_) => Shade::default(),
            Term::Recurse | Term::Neg(_) => input.flat(),
            Term::Str(_, parts) => self.text(parts, input),
            Term::Arr(Some(items)) => Shade::list(self.term(items, input)),
            Term::Obj(entries) => self.map(entries, input),
            Term::BinOp(left, operator, right) => self.operation(left, operator, right, input),
            Term::Label(_, inner) => self.term(inner, input),
            Term::Fold(_, over, pattern, arguments) => self.fold(over, pattern, arguments, input),
            Term::TryCatch(attempt, handler) => self.attempt(attempt, handler.as_deref(), input),
            Term::IfThenElse(branches, otherwise) => self.choice(branches, otherwise.as_deref(), input),
            Term::Def(definitions, inner) => self.defining(definitions, inner, input),
            Term::Call(name, arguments) => self.call(name, arguments, input),
            Term::Var(name) => self.variable(name),
            Term::Path(from, path) => self.path(from, path, input),
        }
    }

    /// Everything that a term could read.
    fn unread(&self, term: &Term<&'s str>, input: &Shade) -> Shade {
        let mut all = input.all();
        for (_, bound) in &self.bound {
            all.append(&mut bound.all());
        }
        for variable in names::of_term(term).variables {
            all.append(&mut (self.given)(variable).all());
        }
        Shade::of(all)
    }

    fn variable(&self, name: &str) -> Shade {
        match self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            Some((_, shade)) => shade.clone(),
            None => (self.given)(name),
        }
    }

    fn text(&mut self, parts: &[StrPart<&'s str, Term<&'s str>>], input: &Shade) -> Shade {
        let mut all = Origins::new();
        for part in parts {
            if let StrPart::Term(term) = part {
                all.append(&mut self.term(term, input).all());
            }
        }
        Shade::of(all)
    }

    fn map(&mut self, entries: &[(Term<&'s str>, Option<Term<&'s str>>)], input: &Shade) -> Shade {
        let mut map = Shade::default();
        for (key, value) in entries {
            let value = match (key, value) {
                (_, Some(value)) => self.term(value, input),
                (Term::Var(name), None) => self.variable(name),
                (key, None) => literal(key).map_or_else(|| input.part(), |key| input.key(key)),
            };
            let entry = match (literal(key), key) {
                (Some(key), _) => Shade::member(key, value),
                (None, Term::Var(name)) => Shade::member(name.trim_start_matches('$'), value),
                (None, key) => Shade::of(self.term(key, input).all()).or(Some(&value.flat())),
            };
            map.join(&entry);
        }
        map
    }

    fn operation(&mut self, left: &Term<&'s str>, operator: &BinaryOp<&'s str>, right: &Term<&'s str>, input: &Shade) -> Shade {
        match operator {
            BinaryOp::Pipe(None) => {
                let between = self.term(left, input);
                self.term(right, &between)
            }
            BinaryOp::Pipe(Some(pattern)) => {
                let value = self.term(left, input);
                self.binding(pattern, &value, |reader| reader.term(right, input))
            }
            BinaryOp::Comma | BinaryOp::Alt => self.either(left, right, input),
            BinaryOp::Math(math) => self.calculated(*math, left, right, input),
            BinaryOp::Or | BinaryOp::And | BinaryOp::Cmp(_) => Shade::default(),
            BinaryOp::Assign => {
                let value = self.term(right, input);
                self.assigned(left, value, input)
            }
            BinaryOp::Update => {
                let before = self.term(left, input);
                let value = self.term(right, &before);
                self.assigned(left, value, input)
            }
            BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                let value = self.either(left, right, input);
                self.assigned(left, value, input)
            }
        }
    }

    fn either(&mut self, left: &Term<&'s str>, right: &Term<&'s str>, input: &Shade) -> Shade {
        let left = self.term(left, input);
        left.or(Some(&self.term(right, input)))
    }

    /// Maps and lists stay such where they are added and taken from; what else is calculated is one value.
    fn calculated(&mut self, math: Math, left: &Term<&'s str>, right: &Term<&'s str>, input: &Shade) -> Shade {
        match math {
            Math::Add | Math::Mul => self.either(left, right, input),
            Math::Sub => self.term(left, input),
            Math::Div | Math::Rem => self.either(left, right, input).flat(),
        }
    }

    /// The input after what a path leads to was made another value.
    fn assigned(&mut self, path: &Term<&'s str>, value: Shade, input: &Shade) -> Shade {
        match keys(path) {
            Some(keys) => input.clone().with(&keys, value),
            None => input.clone().or(Some(&value.flat())),
        }
    }

    fn binding(&mut self, pattern: &Pattern<&'s str>, value: &Shade, inner: impl FnOnce(&mut Self) -> Shade) -> Shade {
        let outer = self.bound.len();
        self.bind(pattern, value);
        let read = inner(self);
        self.bound.truncate(outer);
        read
    }

    fn bind(&mut self, pattern: &Pattern<&'s str>, value: &Shade) {
        match pattern {
            Pattern::Var(name) => self.bound.push((name, value.clone())),
            Pattern::Arr(items) => items.iter().for_each(|item| self.bind(item, &value.item())),
            Pattern::Obj(entries) => entries.iter().for_each(|(key, item)| {
                let part = match (literal(key), key) {
                    (Some(key), _) => value.key(key),
                    (None, Term::Var(name)) => value.key(name.trim_start_matches('$')),
                    (None, _) => value.part(),
                };
                if let Term::Var(name) = key {
                    self.bound.push((name, part.clone()));
                }
                self.bind(item, &part);
            }),
        }
    }

    fn fold(&mut self, over: &Term<&'s str>, pattern: &Pattern<&'s str>, arguments: &[Term<&'s str>], input: &Shade) -> Shade {
        let item = self.term(over, input);
        let [initial, update, rest @ ..] = arguments else { return input.flat().or(Some(&item.flat())) };
        let mut gathered = self.term(initial, input);
        self.binding(pattern, &item, |reader| {
            let mut turns = 0;
            while gathered.join(&reader.term(update, &gathered)) {
                turns += 1;
                if turns == TURNS {
                    gathered = gathered.flat();
                }
            }
            rest.first().map_or_else(|| gathered.clone(), |shown| reader.term(shown, &gathered))
        })
    }

    /// What fails says what it failed on.
    fn attempt(&mut self, attempt: &Term<&'s str>, handler: Option<&Term<&'s str>>, input: &Shade) -> Shade {
        let tried = self.term(attempt, input);
        match handler {
            None => tried,
            Some(handler) => {
                let handled = self.term(handler, &tried.flat());
                tried.or(Some(&handled))
            }
        }
    }

    fn choice(&mut self, branches: &[(Term<&'s str>, Term<&'s str>)], otherwise: Option<&Term<&'s str>>, input: &Shade) -> Shade {
        let last = otherwise.map_or_else(|| input.clone(), |otherwise| self.term(otherwise, input));
        branches.iter().fold(last, |chosen, (_, then)| chosen.or(Some(&self.term(then, input))))
    }

    /// A function of the expression's own gives, at most, what it is called on, what its arguments give, and what its body reads besides.
    fn defining(&mut self, definitions: &[Def<&'s str>], inner: &Term<&'s str>, input: &Shade) -> Shade {
        let outer = self.functions.len();
        for def in definitions {
            let (functions, bound) = (self.functions.len(), self.bound.len());
            self.functions.push(((def.name, def.args.len()), Origins::new()));
            for argument in &def.args {
                self.functions.push(((argument.trim_start_matches('$'), 0), Origins::new()));
                self.bound.push((argument, Shade::default()));
            }
            let body = self.term(&def.body, &Shade::default()).all();
            self.functions.truncate(functions);
            self.bound.truncate(bound);
            self.functions.push(((def.name, def.args.len()), body));
        }
        let read = self.term(inner, input);
        self.functions.truncate(outer);
        read
    }

    fn path(&mut self, from: &Term<&'s str>, path: &Path<Term<&'s str>>, input: &Shade) -> Shade {
        let start = self.term(from, input);
        path.0.iter().fold(start, |value, (part, _)| match part {
            Part::Index(index) => match (literal(index), index) {
                (Some(key), _) => value.key(key),
                (None, Term::Num(_)) => value.item(),
                (None, _) => value.part(),
            },
            Part::Range(None, None) => value.part(),
            Part::Range(..) => value,
        })
    }
}

/// A text in which nothing is to be evaluated.
pub(super) fn literal<'s>(term: &Term<&'s str>) -> Option<&'s str> {
    match term {
        Term::Str(None, parts) => match parts.as_slice() {
            [StrPart::Str(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The keys of a path such as `.a.b`.
pub(super) fn keys<'s>(term: &Term<&'s str>) -> Option<Vec<&'s str>> {
    let Term::Path(from, Path(parts)) = term else { return matches!(term, Term::Id).then(Vec::new) };
    let mut all = keys(from)?;
    for (part, _) in parts {
        match part {
            Part::Index(index) => all.push(literal(index)?),
            Part::Range(..) => return None,
        }
    }
    Some(all)
}
