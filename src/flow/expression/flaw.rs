//! What is wrong with an expression's text, in the words of who wrote it.

use jaq_core::load;
use jaq_core::load::{lex, parse};

use super::library::{self, LIBRARY};
use super::stage::Stage;
use super::{Argument, LONGEST_SLICE, Scope};
use crate::flow::codes;
use crate::manifest::cut;

/// Something wrong in an expression's text.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Flaw {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

pub(super) fn lexical((expected, slice): &lex::Error<&str>) -> Flaw {
    if slice.is_empty() {
        return Flaw::new(codes::EXPRESSION_SYNTAX, format!("the expression ends where a {} is expected", expected.as_str()));
    }
    Flaw::new(codes::EXPRESSION_SYNTAX, format!("syntax error at `{}`: expected a {}", cut(slice, LONGEST_SLICE), expected.as_str()))
}

pub(super) fn grammatical((expected, found): &parse::Error<&str, Option<&lex::Token<&str>>>, source: &str) -> Flaw {
    let expected = expected.as_str();
    let article = if expected.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    match found {
        None => Flaw::new(codes::EXPRESSION_SYNTAX, format!("the expression ends where {article} `{expected}` is expected")),
        Some(token) => {
            let slice = token.as_str();
            let rest = &source[load::span(source, slice).start..];
            let wanted = if expected == "nothing" { "an operator or the end".to_owned() } else { format!("{article} `{expected}`") };
            Flaw::new(codes::EXPRESSION_SYNTAX, format!("syntax error at `{}`: expected {wanted}", cut(rest, LONGEST_SLICE)))
        }
    }
}

/// jq's `?//` is the one thing of its grammar that there is not here.
pub(super) fn with_alternatives(flaw: Flaw, source: &str) -> Flaw {
    if source.contains("?//") { flaw.hint("Patterns have no alternatives (`?//`): ask for the `type` and use `if`.") } else { flaw }
}

pub(super) fn unknown_function((name, arguments): library::Signature<'_>) -> Flaw {
    if let Some(hint) = library::instead_of(name) {
        return Flaw::new(codes::UNKNOWN_NAME, format!("`{name}` is not available in expressions")).hint(hint);
    }
    let arities = LIBRARY.arities(name);
    if !arities.is_empty() {
        let arities = arities.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        return Flaw::new(codes::UNKNOWN_NAME, format!("`{name}` takes {arities} arguments, not {arguments}"));
    }
    let flaw = Flaw::new(codes::UNKNOWN_NAME, format!("no function `{name}`"));
    match crate::manifest::nearest(name, LIBRARY.names()) {
        Some(near) => flaw.hint(format!("Did you mean `{near}`?")),
        None => flaw,
    }
}

pub(super) fn unknown_variable(name: &str, scope: Scope<'_>) -> Flaw {
    let flaw = Flaw::new(codes::UNKNOWN_NAME, format!("no variable `{name}`"));
    let hint = match name {
        "$ENV" => "A flow sees no environment; use a connection property.".to_owned(),
        "$secrets" => "Secrets are connection properties: use `$connection`.".to_owned(),
        _ => match crate::manifest::nearest(name, variables(scope)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("There are {}.", variables(scope).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        },
    };
    flaw.hint(hint)
}

pub(super) fn valueless(name: &str, stage: Stage) -> Flaw {
    Flaw::new(codes::NO_VALUE_HERE, format!("`{name}` has no value here")).hint(stage.instead())
}

/// The variables there are in a scope.
fn variables(scope: Scope<'_>) -> impl Iterator<Item = &str> {
    let has = move |argument: &Argument| scope.stage.has(*argument) && (*argument != Argument::Secrets || scope.secrets);
    let arguments = Argument::ALL.into_iter().filter(has);
    let arguments: Vec<&str> = arguments.map(Argument::variable).collect();
    arguments.into_iter().chain(scope.locals.iter().map(String::as_str))
}
