//! Takes one step of a plan as it stands: idempotent, choosing nothing, and remembered by a fact once it is done.

use anyhow::{Context, Result, bail};

use super::World;
use crate::forge::Proposal;
use crate::harness::{Chosen, Job};
use crate::manifest::{API_VERSION, Document, MANIFEST, digest as digest_of, release};
use crate::model::{
    BundleFiles, CommitId, ConnectorName, Digest, EnvironmentName, Fact, Person, Release, ReviewId, Status, TreeId, Version,
};
use crate::planning::{PlannedStep, Step};
use crate::registry::Publication;
use crate::repository::{BranchProposal, Head, Pushed};
use crate::store::NewFact;

/// Performs one step. An error leaves a state from which performing it again ends in the same place.
pub(super) async fn perform(world: &World, planned: &PlannedStep) -> Result<()> {
    let hand = Hand { world, connector: &planned.connector };
    match &planned.step {
        Step::Delete { environment, version, digest } => hand.delete(environment, version, digest).await,
        Step::Publish { environment, version, digest, review, commit, replaces: _ } => {
            hand.publish(environment, version, digest, *review, commit).await
        }
        Step::Withdraw { review, digest: _ } => hand.withdraw(*review, &planned.reason).await,
        Step::Deploy { environment, version, digest, tree, replaces: _ } => hand.deploy(environment, version, digest, tree).await,
        Step::RunTests { digest, tree } => hand.run_tests(digest, tree).await,
        Step::OpenReview { version, digest, branch, commit, replaces, after, since } => {
            let authors = hand.askers(commit, since.as_ref()).await?;
            let release = Release {
                api_version: API_VERSION.to_owned(),
                connector: planned.connector.clone(),
                version: version.clone(),
                digest: *digest,
                commit: commit.clone(),
                requested_by: authors.first().cloned().unwrap_or_else(|| Person::new("unknown")),
                requested_at: world.clock.now(),
                replaces: replaces.clone(),
            };
            hand.open_review(release, authors, branch, *after).await
        }
    }
}

/// How many authors a review names at most. One that left somebody out would let them approve their own change.
const MOST_AUTHORS: usize = 2_000;

/// One connector's steps.
struct Hand<'w> {
    world: &'w World,
    connector: &'w ConnectorName,
}

impl Hand<'_> {
    async fn delete(&self, environment: &EnvironmentName, version: &Version, digest: &Digest) -> Result<()> {
        self.world.registry.remove(environment, self.connector).await.with_context(|| format!("cannot take it out of {environment}"))?;
        self.remember(Fact::Removed { environment: environment.clone(), version: version.clone(), digest: *digest }).await
    }

    async fn deploy(&self, environment: &EnvironmentName, version: &Version, digest: &Digest, tree: &TreeId) -> Result<()> {
        self.ensure_bundle(digest, tree).await?;
        let at = self.world.clock.now();
        self.world
            .registry
            .deploy(environment, self.connector, version, digest, at)
            .await
            .with_context(|| format!("cannot deploy to {environment}"))?;
        self.remember(Fact::Deployed { environment: environment.clone(), version: version.clone(), digest: *digest }).await
    }

    async fn run_tests(&self, digest: &Digest, tree: &TreeId) -> Result<()> {
        let files = self.ensure_bundle(digest, tree).await?;
        self.remember(Fact::TestsStarted { digest: *digest }).await?;
        let job = Job { connector: self.connector.clone(), digest: *digest, files, chosen: Chosen::All };
        self.world.harness.start(job).await.context("cannot start the tests")
    }

    async fn publish(
        &self,
        environment: &EnvironmentName,
        version: &Version,
        digest: &Digest,
        review: ReviewId,
        commit: &CommitId,
    ) -> Result<()> {
        self.ensure_bundle_from_history(digest, commit).await?;
        let at = self.world.clock.now();
        let publication = self
            .world
            .registry
            .publish(environment, self.connector, version, digest, review, at)
            .await
            .with_context(|| format!("cannot publish to {environment}"))?;
        match publication {
            Publication::Done => {
                let fact = Fact::Published { environment: environment.clone(), version: version.clone(), digest: *digest, review };
                self.remember(fact).await
            }
            Publication::VersionTaken(other) => bail!("version {version} was published before with the content {}", other.short()),
        }
    }

    async fn withdraw(&self, review: ReviewId, reason: &str) -> Result<()> {
        self.world.forge.withdraw(review, reason).await.with_context(|| format!("cannot withdraw review {review}"))
    }

    /// Who asked and whose changes they asked for; the first one asked.
    async fn askers(&self, commit: &CommitId, since: Option<&CommitId>) -> Result<Vec<Person>> {
        let authors = self.world.repository.askers(commit, self.connector.as_str(), since, asks_to_publish).await;
        let authors = authors.context("cannot read who asked")?;
        if authors.len() > MOST_AUTHORS {
            bail!("{} people changed it since the release before, and a review names {MOST_AUTHORS} at most", authors.len());
        }
        Ok(authors)
    }

    async fn open_review(&self, release: Release, authors: Vec<Person>, branch: &str, after: Option<ReviewId>) -> Result<()> {
        self.remember(Fact::ReviewIntended { version: release.version.clone(), digest: release.digest }).await?;
        let title = format!("Publish {} {}", self.connector, release.version);
        let (release, record) = self.ensure_record(release, branch, &title).await?;
        let proposal = Proposal { release, record, branch: branch.to_owned(), authors, title, after };
        self.world.forge.open(&proposal).await.context("cannot open the review")?;
        Ok(())
    }

    /// The record on the review's branch: the one given, or the one an earlier attempt has put there.
    async fn ensure_record(&self, release: Release, branch: &str, title: &str) -> Result<(Release, Vec<u8>)> {
        let content = release::write(&release).context("cannot write the release record")?.into_bytes();
        let proposal = BranchProposal {
            branch: branch.to_owned(),
            base: release.commit.clone(),
            path: Release::path(self.connector, &release.version),
            content: content.clone(),
            message: title.to_owned(),
            at: release.requested_at,
        };
        match self.world.repository.ensure_branch(&proposal).await.with_context(|| format!("cannot push the branch {branch}"))? {
            Pushed::Created(_) => Ok((release, content)),
            Pushed::AlreadyThere { content, .. } => {
                let there = release::read(&proposal.path, &content)
                    .ok()
                    .filter(|there| {
                        (&there.connector, &there.version, &there.digest) == (self.connector, &release.version, &release.digest)
                    })
                    .with_context(|| format!("the branch {branch} carries another record; delete the branch to let the review open"))?;
                Ok((there, content))
            }
            Pushed::Foreign(_) => bail!("the branch {branch} exists and is not a review's; rename or delete it to let the review open"),
        }
    }

    async fn ensure_bundle(&self, digest: &Digest, tree: &TreeId) -> Result<BundleFiles> {
        if let Some(files) = self.world.registry.bundle(digest).await.context("cannot read the bundle")? {
            return Ok(files);
        }
        let read = self.world.repository.read_bundles(std::slice::from_ref(tree)).await.pop();
        let files = read.context("the repository returned no bundle")?.with_context(|| format!("cannot read the folder {tree}"))?;
        self.keep(digest, &files).await?;
        Ok(files)
    }

    async fn ensure_bundle_from_history(&self, digest: &Digest, commit: &CommitId) -> Result<()> {
        if self.world.registry.bundle(digest).await.context("cannot read the bundle")?.is_some() {
            return Ok(());
        }
        let connector = self.connector.as_str();
        let there = self.world.repository.bundle_at(commit, connector).await.context("cannot read the history")?;
        let files = match there.filter(|files| digest_of(files) == Some(*digest)) {
            Some(files) => files,
            // A history that was rewritten holds the content at other commits.
            None => self.find_in_history(digest).await.context("cannot search the history")?.with_context(|| {
                format!(
                    "neither the registry nor the commit {commit} nor the tracked branch's history holds the content {}",
                    digest.short()
                )
            })?,
        };
        self.keep(digest, &files).await
    }

    async fn find_in_history(&self, digest: &Digest) -> Result<Option<BundleFiles>> {
        match self.world.repository.head().await? {
            Head::Commit(newest) => self.world.repository.find_bundle(&newest, self.connector.as_str(), digest, digest_of).await,
            Head::EmptyRepository | Head::MissingBranch(_) => Ok(None),
        }
    }

    /// Content that is not what was planned is refused by the registry, which checks it against its digest.
    async fn keep(&self, digest: &Digest, files: &BundleFiles) -> Result<()> {
        self.world.registry.put_bundle(self.connector, digest, files).await.context("cannot keep the bundle")
    }

    async fn remember(&self, fact: Fact) -> Result<()> {
        let fact = NewFact { at: self.world.clock.now(), connector: self.connector.clone(), fact };
        self.world.store.append(&[fact]).await.context("cannot remember it")?;
        Ok(())
    }
}

/// Whether a manifest asks to be published. One that cannot be read is no sign that it does not.
fn asks_to_publish(manifest: &[u8]) -> bool {
    let Ok(document) = Document::parse(MANIFEST, manifest) else { return true };
    document.value().get("status").and_then(|status| status.as_str()) == Some(Status::Published.to_string().as_str())
}
