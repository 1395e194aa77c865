//! A walk over a parsed expression: which functions and variables it takes from outside, and which it does not find.

use std::collections::BTreeSet;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::Part;

use super::library::Signature;

/// What an expression takes from outside itself.
#[derive(Debug, Default)]
pub(crate) struct Names<'s> {
    /// The functions it calls and does not define.
    pub(crate) calls: BTreeSet<Signature<'s>>,
    /// The variables it reads and does not bind, with their `$`.
    pub(crate) variables: BTreeSet<&'s str>,
    /// The labels it breaks out of and does not set.
    pub(crate) labels: BTreeSet<&'s str>,
    /// Fields read directly from a variable, such as `("$connection", "token")`.
    pub(crate) fields: BTreeSet<(&'s str, &'s str)>,
}

/// The names of an expression.
pub(crate) fn of_term<'s>(term: &Term<&'s str>) -> Names<'s> {
    let mut walk = Walk::default();
    walk.term(term);
    walk.names
}

/// The names of a definition of the library.
pub(crate) fn of_definition<'s>(def: &Def<&'s str>) -> Names<'s> {
    let mut walk = Walk::default();
    walk.definition(def);
    walk.names
}

#[derive(Default)]
struct Walk<'s> {
    names: Names<'s>,
    functions: Vec<Signature<'s>>,
    variables: Vec<&'s str>,
    labels: Vec<&'s str>,
}

impl<'s> Walk<'s> {
    fn term(&mut self, term: &Term<&'s str>) {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Arr(None) => {}
            Term::Str(format, parts) => self.text(*format, parts),
            Term::Arr(Some(inner)) | Term::Neg(inner) => self.term(inner),
            Term::Obj(entries) => entries.iter().for_each(|(key, value)| {
                self.term(key);
                value.iter().for_each(|value| self.term(value));
            }),
            Term::BinOp(left, operator, right) => self.operation(left, operator, right),
            Term::Label(label, inner) => {
                self.labels.push(label);
                self.term(inner);
                self.labels.pop();
            }
            Term::Break(label) => {
                if !self.labels.contains(label) {
                    self.names.labels.insert(label);
                }
            }
            Term::Fold(_, over, pattern, arguments) => self.fold(over, pattern, arguments),
            Term::TryCatch(attempt, handler) => {
                self.term(attempt);
                handler.iter().for_each(|handler| self.term(handler));
            }
            Term::IfThenElse(branches, otherwise) => {
                branches.iter().for_each(|(condition, then)| {
                    self.term(condition);
                    self.term(then);
                });
                otherwise.iter().for_each(|otherwise| self.term(otherwise));
            }
            Term::Def(definitions, inner) => {
                let outer = self.functions.len();
                for def in definitions {
                    self.definition(def);
                    self.functions.push((def.name, def.args.len()));
                }
                self.term(inner);
                self.functions.truncate(outer);
            }
            Term::Call(name, arguments) => {
                self.call((name, arguments.len()));
                arguments.iter().for_each(|argument| self.term(argument));
            }
            Term::Var(name) => self.variable(name),
            Term::Path(from, path) => {
                if let (Term::Var(variable), Some((Part::Index(Term::Str(None, key)), _))) = (&**from, path.0.first())
                    && let [StrPart::Str(key)] = key.as_slice()
                    && !self.variables.contains(variable)
                {
                    self.names.fields.insert((variable, key));
                }
                self.term(from);
                for (part, _) in &path.0 {
                    self.part(part);
                }
            }
        }
    }

    fn part(&mut self, part: &Part<Term<&'s str>>) {
        match part {
            Part::Index(index) => self.term(index),
            Part::Range(from, to) => from.iter().chain(to).for_each(|bound| self.term(bound)),
        }
    }

    fn text(&mut self, format: Option<&'s str>, parts: &[StrPart<&'s str, Term<&'s str>>]) {
        if let Some(format) = format {
            self.call((format, 0));
        }
        for part in parts {
            if let StrPart::Term(term) = part {
                self.term(term);
            }
        }
    }

    fn operation(&mut self, left: &Term<&'s str>, operator: &BinaryOp<&'s str>, right: &Term<&'s str>) {
        self.term(left);
        let outer = self.variables.len();
        if let BinaryOp::Pipe(Some(pattern)) = operator {
            self.pattern(pattern);
        }
        self.term(right);
        self.variables.truncate(outer);
    }

    fn fold(&mut self, over: &Term<&'s str>, pattern: &Pattern<&'s str>, arguments: &[Term<&'s str>]) {
        self.term(over);
        arguments.iter().take(1).for_each(|initial| self.term(initial));
        let outer = self.variables.len();
        self.pattern(pattern);
        arguments.iter().skip(1).for_each(|step| self.term(step));
        self.variables.truncate(outer);
    }

    fn pattern(&mut self, pattern: &Pattern<&'s str>) {
        match pattern {
            Pattern::Var(name) => self.variables.push(name),
            Pattern::Arr(items) => items.iter().for_each(|item| self.pattern(item)),
            Pattern::Obj(entries) => entries.iter().for_each(|(key, item)| {
                self.term(key);
                self.pattern(item);
            }),
        }
    }

    fn definition(&mut self, def: &Def<&'s str>) {
        let (functions, variables) = (self.functions.len(), self.variables.len());
        self.functions.push((def.name, def.args.len()));
        for argument in &def.args {
            if argument.starts_with('$') { self.variables.push(argument) } else { self.functions.push((argument, 0)) }
        }
        self.term(&def.body);
        self.functions.truncate(functions);
        self.variables.truncate(variables);
    }

    fn call(&mut self, call: Signature<'s>) {
        if !self.functions.contains(&call) {
            self.names.calls.insert(call);
        }
    }

    fn variable(&mut self, name: &'s str) {
        if !self.variables.contains(&name) {
            self.names.variables.insert(name);
        }
    }
}
