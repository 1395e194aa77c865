//! The rules between a connector's facts and its next step: one function per rule, asked in order by `plan`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::stage::rejection_of;
use super::{Cause, Connector, Declaration, Desired, Held, Policy, Snapshot, Step, WaitingOn};
use crate::model::{Digest, EnvironmentName, RecordPast, Release, Review, ReviewId, ReviewState, Status, Version, review_branch};

/// What a rule says: go on to the next rule, take this step, or wait.
#[derive(Debug)]
pub(super) enum Gate {
    Open,
    Step(Step, Cause, String),
    Hold(WaitingOn),
}

/// Rule 10: where history cannot be read, nothing is decided that depends on it.
pub(super) fn history(connector: &Connector, policy: &Policy) -> Gate {
    let in_question = records_in_question(connector, policy);
    let unread = in_question.iter().find_map(|(_, record)| connector.past.get(record)?.as_ref().err());
    unread.map_or(Gate::Open, |reason| Gate::Hold(WaitingOn::History { reason: reason.clone() }))
}

/// Rule 7: the newest release that an approved review merged is what production holds.
pub(super) fn publish(connector: &Connector, policy: &Policy) -> Gate {
    let Some((release, review)) = approved_release(connector) else { return Gate::Open };
    if is_taken(connector, &release.version, &release.digest, Some(review)) {
        return Gate::Hold(WaitingOn::NewVersion { version: release.version.clone() });
    }
    let wanted = Held { version: release.version.clone(), digest: release.digest };
    let Some((environment, cause)) = first_lacking(connector, &policy.production, &wanted) else { return Gate::Open };
    Gate::Step(
        Step::Publish {
            environment: environment.clone(),
            replaces: replaced(connector, environment, &wanted),
            version: wanted.version,
            digest: wanted.digest,
            review: review.id,
            commit: release.commit.clone(),
        },
        cause,
        match cause {
            Cause::Change => format!("review {} was merged", review.id),
            Cause::Drift => format!("{environment} no longer holds what review {} published", review.id),
        },
    )
}

/// The release production must hold: the approved one that was merged last. Of releases from before the connector was deleted, only
/// the one counts whose content git asks for again.
fn approved_release(connector: &Connector) -> Option<(&Release, &Review)> {
    let newest = merged_last(connector, |_| true)?;
    if past_of(connector, newest.1) != Some(RecordPast::OutlivedConnector) {
        return Some(newest);
    }
    let declaration = connector.declaration().filter(|declaration| declaration.status == Status::Published)?;
    merged_last(connector, |release| release.digest == declaration.digest)
}

fn past_of(connector: &Connector, review: &Review) -> Option<RecordPast> {
    connector.past.get(&review.record)?.as_ref().ok().copied()
}

/// The order in which reviews were merged; a rejected one can be reopened and merged after newer ones.
fn merge_order(review: &Review) -> Option<(Timestamp, ReviewId)> {
    Some((review.merged_at()?, review.id))
}

/// Of the releases whose record stands on the tracked branch as proposed and whose review was merged, the one merged last.
fn merged_last(connector: &Connector, counts: impl Fn(&Release) -> bool) -> Option<(&Release, &Review)> {
    let approved = connector.releases.iter().filter(|(release, _)| counts(release)).filter_map(|(release, record)| {
        let review = approval_of(connector, release, record)?;
        Some((merge_order(review)?, release, review))
    });
    approved.max_by_key(|(key, _, _)| *key).map(|(_, release, review)| (release, review))
}

/// The records whose past must be known before anything is planned: that of a release about to be published, which may be older
/// than the connector's deletion, and that of a merged review which is not there.
pub(super) fn records_in_question(connector: &Connector, policy: &Policy) -> BTreeSet<(Version, Digest)> {
    let unpublished = merged_last(connector, |_| true).filter(|(release, _)| {
        let wanted = Held { version: release.version.clone(), digest: release.digest };
        connector.desired != Desired::Absent && first_lacking(connector, &policy.production, &wanted).is_some()
    });
    let asked = connector.declaration().filter(|declaration| declaration.status == Status::Published);
    let merged = asked.and_then(|declaration| merged_review(connector, &declaration.deployed_version()?, &declaration.digest));
    let unrecorded = merged.filter(|merged| connector.releases.iter().all(|(_, record)| *record != merged.record));
    unpublished.map(|(_, review)| review).into_iter().chain(unrecorded).map(|review| (review.version.clone(), review.record)).collect()
}

/// The merged review that proposed exactly these bytes.
fn approval_of<'c>(connector: &'c Connector, release: &Release, record: &Digest) -> Option<&'c Review> {
    let mut merged = connector.reviews.iter().rev().filter(|review| review.merged_at().is_some());
    merged.find(|review| proposed(review, release, record))
}

/// Whether a review proposed this release by exactly these bytes.
fn proposed(review: &Review, release: &Release, record: &Digest) -> bool {
    review.version == release.version && review.digest == release.digest && review.record == *record
}

/// Rule 7, the other half: records that publish nothing, each with the reason.
pub(super) fn refused_records(connector: &Connector) -> Vec<WaitingOn> {
    let mut refused: Vec<WaitingOn> =
        connector.unreadable_releases.iter().map(|problem| WaitingOn::ProposedRecord { record: problem.place.file.clone() }).collect();
    for (release, record) in &connector.releases {
        if approval_of(connector, release, record).is_some() {
            continue;
        }
        let path = Release::path(&release.connector, &release.version);
        let was_proposed = connector.reviews.iter().any(|review| proposed(review, release, record));
        let has_other = connector.reviews.iter().any(|review| review.version == release.version);
        refused.push(if has_other && !was_proposed {
            WaitingOn::ProposedRecord { record: path }
        } else {
            WaitingOn::ApprovedReview { version: release.version.clone() }
        });
    }
    refused
}

/// Rule 5: a status moved away from `published` takes the review back. So does a record of an earlier review that came back, and
/// with it the very content: there is nothing left to decide.
pub(super) fn withdraw(connector: &Connector, declaration: &Declaration, policy: &Policy) -> Gate {
    let Some(review) = connector.open_review() else { return Gate::Open };
    let reason = match declaration.status {
        Status::Editing | Status::PrePublished => format!("the status is `{}` now", declaration.status),
        Status::Published if review.digest == declaration.digest && is_published(connector, declaration, policy) => {
            "this content is published already".to_owned()
        }
        Status::Published => return Gate::Open,
    };
    let step = Step::Withdraw { review: review.id, digest: review.digest };
    Gate::Step(step, Cause::Change, reason)
}

/// Rule 4: while a review is open, other content waits for its end.
pub(super) fn frozen(connector: &Connector, declaration: &Declaration) -> Gate {
    match connector.open_review() {
        Some(review) if review.digest != declaration.digest => Gate::Hold(WaitingOn::LockedByReview { review: review.id }),
        Some(_) | None => Gate::Open,
    }
}

/// Rule 2: a self-built connector has a version before it is deployed. Rule 8: a version that was published keeps its content.
pub(super) fn version(connector: &Connector, declaration: &Declaration) -> Gate {
    match declaration.deployed_version() {
        None => Gate::Hold(WaitingOn::Version),
        Some(version) if is_taken(connector, &version, &declaration.digest, None) => Gate::Hold(WaitingOn::NewVersion { version }),
        Some(_) => Gate::Open,
    }
}

/// Rule 8: whether a version belongs to other content, as the registry knows or, should that have been lost, the reviews: those merged
/// before the one at hand, if there is one.
fn is_taken(connector: &Connector, version: &Version, digest: &Digest, at_hand: Option<&Review>) -> bool {
    let mut others = connector.reviews.iter().filter(|review| review.version == *version && review.digest != *digest);
    let came_before = |other: &Review| match at_hand {
        Some(at_hand) => merge_order(other).is_some_and(|merged| Some(merged) < merge_order(at_hand)),
        None => other.merged_at().is_some(),
    };
    connector.published.get(version).is_some_and(|published| published != digest) || others.any(came_before)
}

/// Rule 2: every non-production environment holds the declared content.
pub(super) fn deploy(connector: &Connector, declaration: &Declaration, policy: &Policy) -> Gate {
    let Some(version) = declaration.deployed_version() else { return Gate::Hold(WaitingOn::Version) };
    let wanted = Held { version, digest: declaration.digest };
    let Some((environment, cause)) = first_lacking(connector, &policy.non_production, &wanted) else { return Gate::Open };
    let replaces = replaced(connector, environment, &wanted);
    let reason = match (cause, &replaces) {
        (Cause::Drift, _) => format!("{environment} no longer holds what it was given"),
        (Cause::Change, Some(_)) => "its content has changed".to_owned(),
        (Cause::Change, None) => format!("{environment} does not hold it yet"),
    };
    let step = Step::Deploy {
        environment: environment.clone(),
        version: wanted.version,
        digest: wanted.digest,
        tree: declaration.tree.clone(),
        replaces,
    };
    Gate::Step(step, cause, reason)
}

/// Rules 2 and 3: the tests ran for this very digest, and passed.
pub(super) fn tests(connector: &Connector, declaration: &Declaration) -> Gate {
    match connector.verdict {
        Some(verdict) if verdict.is_good() => Gate::Open,
        Some(verdict) => Gate::Hold(WaitingOn::PassingTests { failed: verdict.failed }),
        None if connector.testing => Gate::Hold(WaitingOn::Tests),
        None => Gate::Step(
            Step::RunTests { digest: declaration.digest, tree: declaration.tree.clone() },
            Cause::Change,
            "this content has not been tested".to_owned(),
        ),
    }
}

/// Rule 3: the check report has no error.
pub(super) fn clean_report(declaration: &Declaration) -> Gate {
    match declaration.errors() {
        0 => Gate::Open,
        errors => Gate::Hold(WaitingOn::CleanReport { errors }),
    }
}

/// Rule 6: content that was rejected is never proposed again.
pub(super) fn rejected(connector: &Connector, declaration: &Declaration) -> Gate {
    let Some(review) = rejection_of(connector, &declaration.digest) else { return Gate::Open };
    match &review.state {
        ReviewState::Rejected { by, reason, .. } => {
            Gate::Hold(WaitingOn::NewContent { review: review.id, by: by.clone(), reason: reason.clone() })
        }
        ReviewState::Open | ReviewState::Merged { .. } | ReviewState::Withdrawn { .. } => Gate::Open,
    }
}

/// Rule 3: what is tested, clean and not yet published is proposed, once. Content that went out of production since its review
/// is proposed again: going back is a publication like any other.
pub(super) fn review(connector: &Connector, declaration: &Declaration, snapshot: &Snapshot) -> Gate {
    let (policy, commit) = (&snapshot.policy, snapshot.commit.as_ref());
    let (Some(version), Some(commit)) = (declaration.deployed_version(), commit) else { return Gate::Hold(WaitingOn::Version) };
    if let Some(open) = connector.open_review() {
        return Gate::Hold(WaitingOn::Review { review: open.id });
    }
    let digest = declaration.digest;
    let merged = merged_review(connector, &version, &digest);
    if let Some(merged) = merged.filter(|merged| !is_over(connector, merged, snapshot.taken_at)) {
        return Gate::Hold(WaitingOn::MergedRecord { review: merged.id, record: Release::path(&declaration.name, &version) });
    }
    let replaces = policy.production.iter().find_map(|name| connector.holdings.get(name)).map(|held| held.version.clone());
    let branch = review_branch(&declaration.name, &version, &digest);
    let reason = "its tests passed and its check report has no error".to_owned();
    let after = merged.map(|merged| merged.id);
    let since = approved_release(connector).map(|(release, _)| release.commit.clone());
    Gate::Step(Step::OpenReview { version, digest, branch, commit: commit.clone(), replaces, after, since }, Cause::Change, reason)
}

/// The newest review of some content, if it was merged.
fn merged_review<'c>(connector: &'c Connector, version: &Version, digest: &Digest) -> Option<&'c Review> {
    let newest = connector.reviews.iter().rev().find(|review| review.version == *version && review.digest == *digest);
    newest.filter(|review| review.merged_at().is_some())
}

/// How long the record of a merged review may be on its way; a history that was purged never shows it.
const ARRIVAL: SignedDuration = SignedDuration::from_hours(1);

/// Whether a merged review publishes nothing any more: another release was approved after it, or its record was taken away.
fn is_over(connector: &Connector, merged: &Review, now: Timestamp) -> bool {
    let is_overdue = merged.merged_at().is_some_and(|at| now.duration_since(at) > ARRIVAL);
    approved_release(connector).is_some_and(|(_, review)| merge_order(review) > merge_order(merged))
        || match past_of(connector, merged) {
            Some(RecordPast::Removed) => true,
            Some(RecordPast::NeverThere) => is_overdue,
            Some(RecordPast::Standing | RecordPast::OutlivedConnector) | None => false,
        }
}

/// Whether production holds the declared content already.
pub(super) fn is_published(connector: &Connector, declaration: &Declaration, policy: &Policy) -> bool {
    connector.is_held_everywhere(&policy.production, &declaration.digest)
}

/// The first environment that does not hold what is wanted, or of which no fact says that it was given it.
fn first_lacking<'p>(connector: &Connector, environments: &'p [EnvironmentName], wanted: &Held) -> Option<(&'p EnvironmentName, Cause)> {
    environments.iter().find_map(|environment| {
        let holds = connector.holdings.get(environment) == Some(wanted);
        let was_given = connector.given.get(environment) == Some(wanted);
        match (holds, was_given) {
            (true, true) => None,
            (false, true) => Some((environment, Cause::Drift)),
            (true | false, false) => Some((environment, Cause::Change)),
        }
    })
}

fn replaced(connector: &Connector, environment: &EnvironmentName, wanted: &Held) -> Option<Version> {
    connector.holdings.get(environment).filter(|held| *held != wanted).map(|held| held.version.clone())
}
