//! A flow, parsed: typed tasks whose expressions are known to be well-formed and whose targets are known to exist.

mod http;
mod request;
mod shape;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use self::http::{Authentication, ConnectionModel, DISCOVERY, Document, Http, HttpOutput, OAuth2Model, OpenApi, TokenModel};
pub(crate) use self::request::{
    Again, Choice, Ends, HeaderTest, MOST_ITEMS, MOST_PAGES, Mapping, Paging, Place, Policies, Statuses, Way, has,
};
pub(crate) use self::shape::{Schema, SchemaSource, Shape, Span, bounded, duration};
use super::expression::Expression;
use super::points::Point;
use super::template::Template;

/// A flow of its own: an action's, a trigger's, a test connection's, or a stand-alone document's.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The tasks.
    pub(crate) tasks: Vec<Task>,
    /// The definition as written (`do` and what stands beside it), for `$workflow.definition` and `$task.definition`.
    pub(crate) definition: Value,
    /// What the flow's input must be and becomes first.
    pub(crate) input: Shape,
    /// What the flow's output becomes last and must be.
    pub(crate) output: Shape,
    /// How long it may take.
    pub(crate) timeout: Option<Arc<Span>>,
    /// What is run around its tasks.
    pub(crate) extensions: Vec<Extension>,
    /// That it is run at all, where it is a connector's.
    pub(crate) point: Option<Point>,
}

/// One task.
#[derive(Debug)]
pub(crate) struct Task {
    /// Its name.
    pub(crate) name: String,
    /// Where it stands in its flow, such as `/do/0/create`.
    pub(crate) reference: String,
    /// Whether it is run at all.
    pub(crate) condition: Option<Condition>,
    /// What its input must be and becomes first.
    pub(crate) input: Shape,
    /// What its output becomes last and must be.
    pub(crate) output: Shape,
    /// What the flow's context becomes then and must be.
    pub(crate) export: Shape,
    /// How long it may take.
    pub(crate) timeout: Option<Arc<Span>>,
    /// Where the flow goes on.
    pub(crate) then: Then,
    /// What it does.
    pub(crate) act: Act,
}

/// Whether a task is run.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) expression: Expression,
    /// That it is, and that it is not.
    pub(crate) sides: [Point; 2],
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
    For(Box<For>),
    Fork(Fork),
    Raise(Raise),
    Switch(Switch),
    Try(Box<Try>),
    Wait(Span),
    Http(Box<Http>),
    OpenApi(Box<OpenApi>),
    /// Another action of the same connector, with its input where it is not the task's.
    Action {
        name: String,
        with: Option<Template>,
    },
    /// A function of the document, with its input where it is not the task's.
    Function {
        name: String,
        with: Option<Template>,
    },
}

impl Act {
    /// What extensions call this kind of task.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Set(_) => "set",
            Self::Do(_) => "composite",
            Self::Emit(_) => "emit",
            Self::For(_) => "for",
            Self::Fork(_) => "fork",
            Self::Raise(_) => "raise",
            Self::Switch(_) => "switch",
            Self::Try(_) => "try",
            Self::Wait(_) => "wait",
            Self::Http(_) | Self::OpenApi(_) | Self::Action { .. } | Self::Function { .. } => "call",
        }
    }
}

/// A loop over a list.
#[derive(Debug)]
pub(crate) struct For {
    /// The item's variable, with its `$`.
    pub(crate) each: String,
    /// The index's variable, with its `$`.
    pub(crate) at: String,
    /// The list.
    pub(crate) list: Template,
    /// What must be true for another turn.
    pub(crate) condition: Option<Expression>,
    pub(crate) tasks: Vec<Task>,
}

/// Tasks that run at the same time.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) branches: Vec<Task>,
    /// Whether the first to end well ends the others, and gives the output alone.
    pub(crate) compete: bool,
}

/// Tasks whose errors are caught.
#[derive(Debug)]
pub(crate) struct Try {
    pub(crate) tasks: Vec<Task>,
    pub(crate) catch: Catch,
}

/// Which errors are caught, and what becomes of them.
#[derive(Debug)]
pub(crate) struct Catch {
    /// What an error must be like, by its members.
    pub(crate) with: Vec<(ErrorMember, Template)>,
    /// The error's variable, with its `$`.
    pub(crate) variable: String,
    pub(crate) when: Option<Expression>,
    pub(crate) except_when: Option<Expression>,
    pub(crate) retry: Option<Arc<Retry>>,
    pub(crate) tasks: Option<Vec<Task>>,
    pub(crate) then: Option<Then>,
    /// That an error is caught for good; nothing where errors are tried again and nothing else.
    pub(crate) caught: Option<Point>,
    /// That it is tried again.
    pub(crate) again: Option<Point>,
}

/// The members of an error that a filter can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorMember {
    Kind,
    Status,
    Title,
    Detail,
    Instance,
}

/// When something is tried again, and at which pace.
#[derive(Debug)]
pub(crate) struct Retry {
    pub(crate) when: Option<Expression>,
    pub(crate) except_when: Option<Expression>,
    pub(crate) pace: Pace,
}

/// How often something is tried again, and how long to wait between.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    pub(crate) delay: Option<Span>,
    pub(crate) backoff: Backoff,
    pub(crate) jitter: Option<(Span, Span)>,
    /// The most retries.
    pub(crate) count: Option<u32>,
    /// The longest that one attempt may take.
    pub(crate) attempt: Option<Span>,
    /// The longest that all attempts may take together.
    pub(crate) duration: Option<Span>,
}

/// How the delay between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Backoff {
    #[default]
    Constant,
    /// By the delay each time.
    Linear,
    /// To the double each time.
    Exponential,
}

/// The error a task raises.
#[derive(Debug)]
pub(crate) enum Raise {
    /// One that is declared, by its name.
    Declared(String),
    /// One that is described, in place or under `use.errors`.
    Described(Arc<DescribedError>),
    /// One that an expression gives, such as an error that was caught.
    Given(Box<Template>),
}

/// An error as it is described, expressions included.
#[derive(Debug)]
pub(crate) struct DescribedError {
    pub(crate) kind: Template,
    pub(crate) status: Template,
    pub(crate) title: Option<Template>,
    pub(crate) detail: Option<Template>,
    pub(crate) instance: Option<Template>,
}

/// Where a flow goes on, by its data.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(crate) branches: Vec<Branch>,
    /// That none of them is taken; nothing where one always is.
    pub(crate) none: Option<Point>,
}

/// One case of a `switch`.
#[derive(Debug)]
pub(crate) struct Branch {
    /// When it is taken; a branch without a condition is taken when no other is.
    pub(crate) when: Option<Expression>,
    pub(crate) then: Then,
    /// That it is taken.
    pub(crate) point: Point,
}

/// Tasks that are run around others.
#[derive(Debug)]
pub(crate) struct Extension {
    /// The kind of tasks it is run around; `all` for every kind.
    pub(crate) extend: String,
    pub(crate) when: Option<Expression>,
    pub(crate) before: Vec<Task>,
    pub(crate) after: Vec<Task>,
}

/// An error that flows can raise by name.
#[derive(Debug, Clone)]
pub(crate) struct NamedError {
    pub(crate) kind: String,
    pub(crate) status: u16,
    pub(crate) title: Option<String>,
    pub(crate) detail: Option<String>,
}
