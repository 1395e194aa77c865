//! What of a connector's flows can be exercised: listed while they are parsed, each with the number by which a run tells that it came there.

use super::finding::{About, At};
use super::program::Target;
use crate::manifest::{Document, MANIFEST, cut};
use crate::model::{CoveragePoint, CoveragePointKind, Place};

/// How many points one connector has at most: a hostile manifest holds very many.
const MOST: usize = 10_000;
/// How long what is told of a point may be, in characters.
const LONGEST: usize = 200;

/// The number of a point, by its place among those of its connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point(pub usize);

/// One point, by pointer.
#[derive(Debug)]
struct Listed {
    kind: CoveragePointKind,
    target: String,
    what: String,
    pointer: String,
    about: About,
}

/// The points found so far.
#[derive(Debug, Default)]
pub(crate) struct Points {
    listed: Vec<Listed>,
    /// The flow that is being parsed.
    pub(crate) target: String,
    /// The task that is being parsed.
    pub(crate) task: String,
}

impl Points {
    /// Begins with the points of a flow, whose tasks stand at this pointer: the first is that it is run at all.
    pub(crate) fn of_flow(&mut self, target: &Target, tasks: &str) -> Point {
        self.target = target.to_string();
        let kind = match target {
            Target::Action(_) => CoveragePointKind::Action,
            Target::Trigger(_) | Target::Subscribe(_) | Target::Unsubscribe(_) => CoveragePointKind::Trigger,
            Target::TestConnection => CoveragePointKind::TestConnection,
        };
        let flow = tasks.strip_suffix("/do").unwrap_or(tasks);
        self.at_key(kind, &At::base(flow), |_| "the flow".to_owned())
    }

    /// Lists a point at a value.
    pub(crate) fn at(&mut self, kind: CoveragePointKind, at: &At<'_>, what: impl FnOnce(&str) -> String) -> Point {
        self.add(kind, at, About::Value, what)
    }

    /// Lists a point at a key.
    pub(crate) fn at_key(&mut self, kind: CoveragePointKind, at: &At<'_>, what: impl FnOnce(&str) -> String) -> Point {
        self.add(kind, at, About::Key, what)
    }

    fn add(&mut self, kind: CoveragePointKind, at: &At<'_>, about: About, what: impl FnOnce(&str) -> String) -> Point {
        let number = self.listed.len();
        if number < MOST {
            let (target, what) = (cut(&self.target, LONGEST), cut(&what(&self.task), LONGEST));
            self.listed.push(Listed { kind, target, what, pointer: at.pointer(), about });
        }
        Point(number)
    }

    /// All of them with their places, by their numbers. Nothing is covered yet.
    pub(crate) fn located(&self, document: &Document) -> Vec<CoveragePoint> {
        let located = self.listed.iter().map(|listed| {
            let place = match listed.about {
                About::Key => document.key_place(&listed.pointer),
                About::Value => document.place(&listed.pointer),
            };
            CoveragePoint {
                kind: listed.kind,
                target: listed.target.clone(),
                what: listed.what.clone(),
                place: Place { file: MANIFEST.to_owned(), ..place },
                covered: false,
            }
        });
        located.collect()
    }
}
