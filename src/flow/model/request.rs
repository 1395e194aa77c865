//! What `call: request` has beyond the standard: pages, repetition, rates, and responses that stand for declared errors.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{Pace, Span};
use crate::flow::expression::Expression;
use crate::flow::points::Point;
use crate::flow::session::Rate;
use crate::flow::template::Template;

/// The most pages that one call may read.
pub(crate) const MOST_PAGES: u64 = 10_000;
/// The most items that one call may gather.
pub(crate) const MOST_ITEMS: u64 = 1_000_000;

/// What one call asks for.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// Responses that stand for declared errors; the first that fits does.
    pub(crate) errors: Vec<Mapping>,
    pub(crate) paging: Option<Box<Paging>>,
    pub(crate) again: Choice<Again>,
    pub(crate) rate: Choice<Rate>,
}

/// A policy that the connection may have too.
#[derive(Debug, Default)]
pub(crate) enum Choice<T> {
    /// The connection's, where it has one.
    #[default]
    Usual,
    /// None, whatever the connection has.
    Off,
    Own(Arc<T>),
}

impl<T> Choice<T> {
    /// What is in force.
    pub(crate) fn or<'a>(&'a self, usual: Option<&'a Arc<T>>) -> Option<&'a T> {
        match self {
            Self::Usual => usual.map(|usual| &**usual),
            Self::Off => None,
            Self::Own(own) => Some(own),
        }
    }
}

/// Statuses: one, or a class such as `4xx`.
pub(crate) type Statuses = Vec<RangeInclusive<u16>>;

/// Whether a status is among these.
pub(crate) fn has(statuses: &[RangeInclusive<u16>], status: u16) -> bool {
    statuses.iter().any(|range| range.contains(&status))
}

/// A response that stands for a declared error. Whatever is given must fit; expressions see `{ statusCode, headers, content }`.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// Empty where any status fits.
    pub(crate) statuses: Statuses,
    pub(crate) headers: Vec<(String, HeaderTest)>,
    pub(crate) when: Option<Expression>,
    pub(crate) raise: String,
    pub(crate) detail: Option<Template>,
    /// That a response stands for its error.
    pub(crate) point: Point,
}

/// What a header must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeaderTest {
    Is(String),
    /// There or not.
    Given(bool),
}

/// When a request is sent again.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) pace: Pace,
    pub(crate) statuses: Statuses,
    /// What must be true of a response besides.
    pub(crate) when: Option<Expression>,
    /// The longest single wait. A service that asks for more is not waited for.
    pub(crate) max_wait: Span,
    /// Whether it is safe to send again what may have been processed, whatever the method.
    pub(crate) non_idempotent: bool,
}

/// A list that comes in pages.
#[derive(Debug)]
pub(crate) struct Paging {
    /// The items of a page, over `{ statusCode, headers, content }`; the content itself where it is not given.
    pub(crate) items: Option<Expression>,
    pub(crate) way: Way,
    /// How big pages are to be.
    pub(crate) size: Option<(Place, Template)>,
    /// Whether there is another page, over the same.
    pub(crate) more: Option<Expression>,
    pub(crate) max_pages: Option<Template>,
    pub(crate) max_items: Option<Template>,
    /// Whether a list that is longer is cut off instead of being an error.
    pub(crate) truncate: bool,
    pub(crate) ends: Ends,
}

/// How a list of pages can go on and end. What no test could be asked to show is left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// That a further page is asked for.
    pub(crate) further: Option<Point>,
    /// That no page follows.
    pub(crate) last: Point,
    /// That it is cut off.
    pub(crate) cut: Option<Point>,
}

/// How the next page is asked for.
#[derive(Debug)]
pub(crate) enum Way {
    /// By what the page before says.
    Cursor { from: Expression, place: Place },
    /// By how many items came before.
    Offset { start: u64, place: Place },
    /// By its number.
    Page { start: u64, place: Place },
    /// By the `Link` header with this relation, RFC 8288.
    Link(String),
    /// By an address that the page before has.
    Next(Expression),
}

/// Where a value goes in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Query(String),
    Header(String),
    /// The keys that lead to it.
    Body(Vec<String>),
}
