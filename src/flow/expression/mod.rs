//! jq expressions: parsed and their names checked where a bundle is validated, compiled and evaluated only in worker processes.

mod datum;
mod flaw;
pub(crate) mod guard;
mod jq;
pub(crate) mod library;
pub(crate) mod names;
mod natives;
mod stage;
pub(crate) mod value;

use std::sync::OnceLock;

use jaq_core::load::{Arena, File, Loader, lex, parse};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use jaq_json::Val;

use self::datum::Datum;
pub(crate) use self::flaw::Flaw;
use self::flaw::{grammatical, lexical, unknown_function, unknown_variable, valueless, with_alternatives};
use self::library::{Engine, LIBRARY};
pub(crate) use self::stage::Stage;
use super::codes;
use super::data::Data;
use crate::manifest::cut;

/// How much of an expression, and of what jq says of it, a message repeats, in characters.
const LONGEST_SLICE: usize = 40;
const LONGEST_ERROR: usize = 500;

/// What the whole expression is called where it is compiled.
const WHOLE: &str = "_whole_expression";
/// The variable behind `now`.
const NOW: &str = "$__now__";

/// The variables a flow gives to its expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    Context,
    Input,
    Output,
    Task,
    Workflow,
    Runtime,
    Connection,
    Secrets,
    Authorization,
}

impl Argument {
    pub(crate) const ALL: [Self; 9] = [
        Self::Context,
        Self::Input,
        Self::Output,
        Self::Task,
        Self::Workflow,
        Self::Runtime,
        Self::Connection,
        Self::Secrets,
        Self::Authorization,
    ];

    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Context => "$context",
            Self::Input => "$input",
            Self::Output => "$output",
            Self::Task => "$task",
            Self::Workflow => "$workflow",
            Self::Runtime => "$runtime",
            Self::Connection => "$connection",
            Self::Secrets => "$secrets",
            Self::Authorization => "$authorization",
        }
    }
}

/// A variable that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Variable {
    /// One that every flow has.
    Argument(Argument),
    /// One that a task around the expression gives, with its `$`: an item, its index, a caught error.
    Local(Box<str>),
    /// What `now` reads: one moment, however often an evaluation asks for it.
    Now,
}

impl Variable {
    fn name(&self) -> &str {
        match self {
            Self::Argument(argument) => argument.variable(),
            Self::Local(name) => name,
            Self::Now => NOW,
        }
    }
}

/// Which variables an expression may read, beside those that every flow has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope<'a> {
    /// Those that tasks around it give, with their `$`, inner ones last.
    pub(crate) locals: &'a [String],
    /// Whether the flow has secrets of its own, `$secrets`.
    pub(crate) secrets: bool,
    /// Where the expression stands.
    pub(crate) stage: Stage,
}

/// Gives the values of the variables.
pub(crate) trait Arguments {
    /// The value of one of them; null where it has none at this point of the flow.
    fn argument(&self, argument: Argument) -> Data;

    /// The value of one that a task around the expression gives.
    fn local(&self, name: &str) -> Data;

    /// The moment, in seconds since 1970; null where there is no clock.
    fn now(&self) -> Data;
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unevaluated {
    /// Its evaluation failed.
    #[error("{0}")]
    Failed(String),
    /// It reads a secret of this name, which there is not.
    #[error("there is no secret `{0}`")]
    NoSecret(String),
    /// Its evaluation failed, and would not with another secret.
    #[error("{0}")]
    OnSecret(String),
}

impl From<String> for Unevaluated {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl From<&str> for Unevaluated {
    fn from(message: &str) -> Self {
        Self::Failed(message.to_owned())
    }
}

/// One expression, known to be well-formed.
pub(crate) struct Expression {
    source: Box<str>,
    uses: Vec<Variable>,
    connection_fields: Vec<Box<str>>,
    /// The secrets it reads by name.
    secret_fields: Vec<Box<str>>,
    filter: OnceLock<Result<Filter<Engine>, String>>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${{ {} }}", self.source)
    }
}

impl Expression {
    /// Parses an expression and checks its names. Safe in any process, whatever the text: bounds come first.
    pub(crate) fn parse(source: &str, scope: Scope<'_>) -> Result<Self, Vec<Flaw>> {
        guard::check(source)
            .map_err(|excess| vec![Flaw::new(codes::EXPRESSION_TOO_BIG, excess.to_string()).hint("Split it over several `set` tasks.")])?;
        let tokens = lex::Lexer::new(source).lex().map_err(|errors| errors.iter().take(1).map(lexical).collect::<Vec<_>>())?;
        let term = parse::Parser::new(&tokens).parse(|parser| parser.term());
        let term = term.map_err(|errors| {
            errors.iter().take(1).map(|error| with_alternatives(grammatical(error, source), source)).collect::<Vec<_>>()
        })?;
        let found = names::of_term(&term);
        let mut flaws: Vec<_> = found.calls.iter().filter(|call| !LIBRARY.has(**call)).map(|call| unknown_function(*call)).collect();
        flaws.extend(
            found
                .variables
                .iter()
                .filter(|name| variable(name, scope).is_none() && **name != jq::PLACE)
                .map(|name| unknown_variable(name, scope)),
        );
        let no_value = |name: &&&str| matches!(variable(name, scope), Some(Variable::Argument(argument)) if !scope.stage.has(argument));
        flaws.extend(found.variables.iter().filter(no_value).map(|name| valueless(name, scope.stage)));
        if !scope.stage.has_now() && found.calls.contains(&("now", 0)) {
            flaws.push(Flaw::new(codes::NO_VALUE_HERE, "`now` has no value here").hint("Use it in a task of a flow."));
        }
        flaws.extend(found.labels.iter().map(|label| Flaw::new(codes::UNKNOWN_NAME, format!("no label `{label}` to break out of"))));
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let fields = |variable: &str| found.fields.iter().filter(|(of, _)| *of == variable).map(|(_, field)| (*field).into()).collect();
        Ok(Self {
            source: source.into(),
            uses: found
                .variables
                .iter()
                .filter_map(|name| variable(name, scope))
                .chain(found.calls.contains(&("now", 0)).then_some(Variable::Now))
                .collect(),
            connection_fields: fields(Argument::Connection.variable()),
            secret_fields: fields(Argument::Secrets.variable()),
            filter: OnceLock::new(),
        })
    }

    /// The properties it reads from `$connection` by name.
    pub(crate) fn connection_fields(&self) -> impl Iterator<Item = &str> {
        self.connection_fields.iter().map(|field| &**field)
    }

    /// The variables it reads, with their `$`.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.uses.iter().map(Variable::name)
    }

    /// What it consists of, for whoever looks at it without evaluating it.
    pub(crate) fn term(&self) -> Option<parse::Term<&str>> {
        let tokens = lex::Lexer::new(&self.source).lex().ok()?;
        parse::Parser::new(&tokens).parse(|parser| parser.term()).ok()
    }

    /// Whether a word is in its text.
    pub(crate) fn mentions(&self, word: &str) -> bool {
        self.source.contains(word)
    }

    /// Whether it reads this variable.
    pub(crate) fn uses(&self, argument: Argument) -> bool {
        self.uses.contains(&Variable::Argument(argument))
    }

    /// Its first result, or null where it has none. May never return, or end the process: only for workers.
    pub(crate) fn evaluate(&self, input: &Data, arguments: &dyn Arguments) -> Result<Data, Unevaluated> {
        self.may_read_secrets(arguments)?;
        let variables: Vec<Data> = self
            .uses
            .iter()
            .map(|variable| match variable {
                Variable::Argument(argument) => arguments.argument(*argument),
                Variable::Local(name) => arguments.local(name),
                Variable::Now => arguments.now(),
            })
            .collect();
        let real = self.first(input.real().clone(), variables.iter().map(|data| data.real().clone()));
        if !input.is_secret() && !variables.iter().any(Data::is_secret) {
            return Ok(Data::plain(real?));
        }
        let stand_in =
            |side: usize| self.first(input.stand_ins()[side].clone(), variables.iter().map(|data| data.stand_ins()[side].clone()));
        match (real, stand_in(0), stand_in(1)) {
            (Ok(real), Ok(one), Ok(other)) => Ok(Data::new(real, [one, other])),
            (Ok(real), Err(_), _) | (Ok(real), _, Err(_)) => Ok(Data::secret(real)),
            // Another secret may not fail, and what catches this would tell of it.
            (Err(_), Err(why), Err(_)) => Err(Unevaluated::OnSecret(why)),
            (Err(_), Ok(_), _) | (Err(_), _, Ok(_)) => {
                Err(Unevaluated::OnSecret("the expression fails on the value of a secret".to_owned()))
            }
        }
    }

    /// dsl.md, "Secret": what is read by its name has to be there.
    fn may_read_secrets(&self, arguments: &dyn Arguments) -> Result<(), Unevaluated> {
        if self.secret_fields.is_empty() {
            return Ok(());
        }
        let secrets = arguments.argument(Argument::Secrets);
        let has = |name: &str| matches!(secrets.real(), Val::Obj(secrets) if secrets.contains_key(&value::text_to_jq(name)));
        match self.secret_fields.iter().find(|name| !has(name)) {
            Some(missing) => Err(Unevaluated::NoSecret(missing.to_string())),
            None => Ok(()),
        }
    }

    fn first(&self, input: Val, variables: impl Iterator<Item = Val>) -> Result<Val, String> {
        let filter = self.filter.get_or_init(|| self.compile()).as_ref().map_err(Clone::clone)?;
        let context = Ctx::<Engine>::new(&filter.lut, Vars::new(variables.map(Datum)));
        match filter.id.run((context, Datum(input))).next() {
            None => Ok(Val::Null),
            Some(Ok(value)) => Ok(value.0),
            Some(Err(exception)) => Err(match exception.get_err() {
                Ok(error) => self.failure(&value::text_of(&error.into_val().0)),
                Err(_) => "the expression was broken off".to_owned(),
            }),
        }
    }

    /// What went wrong, with the beginning of the expression: a task has many.
    fn failure(&self, why: &str) -> String {
        let source = self.source.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("`{}` fails: {}", cut(&source, LONGEST_SLICE), cut(why, LONGEST_ERROR))
    }

    fn compile(&self) -> Result<Filter<Engine>, String> {
        let broken = || format!("`{}` does not compile", self.source);
        let mut term = self.term().ok_or_else(broken)?;
        jq::as_jq(&mut term, &self.source);
        let (mut definitions, natives) = LIBRARY.select(names::of_term(&term).calls);
        definitions.push(parse::Def { name: WHOLE, args: Vec::new(), body: term });
        let arena = Arena::default();
        let modules = Loader::new(definitions).load(&arena, File { code: WHOLE, path: () }).map_err(|_| broken())?;
        Compiler::default().with_funs(natives).with_global_vars(self.uses.iter().map(Variable::name)).compile(modules).map_err(|_| broken())
    }
}

fn variable(name: &str, scope: Scope<'_>) -> Option<Variable> {
    if scope.locals.iter().any(|local| local == name) {
        return Some(Variable::Local(name.into()));
    }
    let argument = Argument::ALL.into_iter().find(|argument| argument.variable() == name)?;
    (argument != Argument::Secrets || scope.secrets).then_some(Variable::Argument(argument))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod parity;
