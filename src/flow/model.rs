//! A flow, parsed: typed tasks whose expressions are known to be well-formed and whose targets are known to exist.

use jaq_json::Val;
use serde_json::Value;

use super::expression::Expression;
use super::template::Template;
use super::uri::Address;

/// A flow of its own: an action's, a trigger's, a test connection's, or a stand-alone document's.
#[derive(Debug)]
pub(crate) struct Flow {
    /// The tasks.
    pub(crate) tasks: Vec<Task>,
    /// The definition as written (`do` and what stands beside it), for `$workflow.definition` and `$task.definition`.
    pub(crate) definition: Value,
    /// What the flow's input becomes first.
    pub(crate) input_from: Option<Template>,
    /// What the flow's output becomes last.
    pub(crate) output_as: Option<Template>,
}

/// One task.
#[derive(Debug)]
pub(crate) struct Task {
    /// Its name.
    pub(crate) name: String,
    /// Where it stands in its flow, such as `/do/0/create`.
    pub(crate) reference: String,
    /// Whether it is run at all.
    pub(crate) condition: Option<Expression>,
    /// What its input becomes first.
    pub(crate) input_from: Option<Template>,
    /// What its output becomes last.
    pub(crate) output_as: Option<Template>,
    /// What the flow's context becomes then.
    pub(crate) export_as: Option<Template>,
    /// Where the flow goes on.
    pub(crate) then: Then,
    /// What it does.
    pub(crate) act: Act,
}

/// Where a flow goes on after a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// With the next task of the list.
    Continue,
    /// After the list.
    Exit,
    /// Nowhere: the whole flow ends.
    End,
    /// With the task at this index of the list.
    Task(usize),
}

/// What a task does.
#[derive(Debug)]
pub(crate) enum Act {
    Set(Template),
    Do(Vec<Task>),
    Emit(Template),
    Raise(Raise),
    Switch(Vec<Branch>),
    Http(Box<Http>),
}

/// The error a task raises.
#[derive(Debug)]
pub(crate) enum Raise {
    /// One that is declared, by its name.
    Declared(String),
    /// One that is described in place.
    Described { kind: Template, status: Template, title: Option<Template>, detail: Option<Template>, instance: Option<String> },
}

/// One case of a `switch`.
#[derive(Debug)]
pub(crate) struct Branch {
    /// When it is taken; a branch without a condition is taken when no other is.
    pub(crate) when: Option<Expression>,
    pub(crate) then: Then,
}

/// An HTTP request with what is made of its response: `call: http` and `call: request`.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) method: Template,
    pub(crate) address: Address,
    /// Whether the address is relative to the connection's base, and the connection's authentication is added.
    pub(crate) connection: bool,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) headers: Option<Template>,
    pub(crate) query: Option<Template>,
    pub(crate) body: Option<Template>,
    pub(crate) output: HttpOutput,
    /// Whether a redirection status is not an error.
    pub(crate) redirect: bool,
    pub(crate) errors: Vec<Mapping>,
}

/// What a call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpOutput {
    /// The body, deserialised where its type is known.
    Content,
    /// Request, status, headers and content.
    Response,
    /// The body in base64.
    Raw,
}

/// Statuses that stand for a declared error.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) statuses: Vec<u16>,
    pub(crate) raise: String,
}

/// How a request proves who it is.
#[derive(Debug)]
pub(crate) enum Authentication {
    Basic { username: Template, password: Template },
    Bearer(Template),
    KeyInHeader { name: String, value: Template },
    KeyInQuery { name: String, value: Template },
}

/// An error that flows can raise by name.
#[derive(Debug, Clone)]
pub(crate) struct NamedError {
    pub(crate) kind: String,
    pub(crate) status: u16,
    pub(crate) title: Option<String>,
    pub(crate) detail: Option<String>,
}

/// The connection that flows of one connector share.
#[derive(Debug, Default)]
pub(crate) struct ConnectionModel {
    pub(crate) base: Option<Template>,
    pub(crate) authentication: Option<Authentication>,
    /// The only hosts that may be reached; `None` where that is not the flow's to decide.
    pub(crate) hosts: Option<Vec<String>>,
}

/// Null, for what is not there.
pub(crate) const NOTHING: Val = Val::Null;
