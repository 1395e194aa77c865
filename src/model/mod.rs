//! The vocabulary: the values every room speaks of, with no effects and no knowledge of the rooms above.

mod bundle;
mod clock;
mod coverage;
mod digest;
mod evidence;
mod fact;
mod git;
mod lasting;
mod name;
mod person;
mod problem;
mod release;
mod review;
mod stage;
mod version;

pub use bundle::BundleFiles;
pub use clock::{Clock, FixedClock, SystemClock};
pub use coverage::{Coverage, CoveragePoint, CoveragePointKind};
pub use digest::{Digest, DigestError};
pub use evidence::{CaseOutcome, CaseReport, ENGINE_LEVEL, Evidence, Failure, Verdict};
pub use fact::{Fact, FactKind, Recorded};
pub use git::{BlobId, CommitId, TreeId};
pub use lasting::lasting;
pub use name::{ConnectorName, EnvironmentName, NameError};
pub use person::Person;
pub use problem::{Place, Problem, Severity};
pub use release::{RecordId, RecordPast, Release};
pub use review::{Review, ReviewId, ReviewState, review_branch};
pub use stage::{Kind, Operation, Stage, Status};
pub use version::Version;
