//! What tests exercise of a connector: every place where its flows can go one way or another, and whether some case went there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Place;

/// What kind of thing can be exercised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CoveragePointKind {
    /// An action's flow.
    Action,
    /// A trigger's flow, or one of its subscription.
    Trigger,
    /// The test connection.
    TestConnection,
    /// A branch of a `switch`, or one side of an `if`.
    Branch,
    /// The handler of a `catch`.
    Catch,
    /// A mapping of responses to errors.
    ErrorMapping,
    /// A list of pages that goes on, or that ends.
    Pagination,
}

impl CoveragePointKind {
    /// Whether it is a flow as a whole, not a way that one can go.
    pub fn is_flow(self) -> bool {
        match self {
            Self::Action | Self::Trigger | Self::TestConnection => true,
            Self::Branch | Self::Catch | Self::ErrorMapping | Self::Pagination => false,
        }
    }
}

/// One thing that can be exercised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoveragePoint {
    /// Of which kind it is.
    pub kind: CoveragePointKind,
    /// The flow that it is part of, such as `actions/create-issue`.
    pub target: String,
    /// What it is, for people: a lowercase fragment such as `the branch \`isOpen\``.
    pub what: String,
    /// Where it stands; the path is relative to the connector's folder.
    pub place: Place,
    /// Whether some case exercised it.
    pub covered: bool,
}

/// What the cases of one run exercised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Coverage {
    /// Everything that can be exercised, in the order of the manifest.
    pub points: Vec<CoveragePoint>,
}

impl Coverage {
    /// Whether nothing is known of it: the run ended before anything could be said, or there is nothing to exercise.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How many points are covered, and how many there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.points.iter().filter(|point| point.covered).count(), self.points.len())
    }

    /// Marks points as covered, by their numbers; what is no number of a point says nothing.
    pub fn cover(&mut self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            if let Some(point) = self.points.get_mut(number) {
                point.covered = true;
            }
        }
    }

    /// The same in the order of the manifest. The numbers of the points are lost.
    pub fn in_order(mut self) -> Self {
        self.points.sort_by(|one, other| one.place.cmp(&other.place));
        self
    }

    /// How much of it is covered, in percent and rounded down, so that 100 means all of it. Where there is nothing to cover, all of it is.
    pub fn percent(&self) -> u8 {
        match self.counts() {
            (_, 0) => 100,
            (covered, all) => u8::try_from(covered * 100 / all).unwrap_or(100),
        }
    }

    /// What no case exercised.
    pub fn uncovered(&self) -> impl Iterator<Item = &CoveragePoint> {
        self.points.iter().filter(|point| !point.covered)
    }
}
