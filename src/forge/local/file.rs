//! The file that holds one review, `review.yaml` in the root of each commit of its reference: written, and read with distrust.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::manifest::Document;
use crate::model::{CommitId, Digest, Person, Release, Review, ReviewState, review_branch};

/// The file's name.
pub(super) const NAME: &str = "review.yaml";

/// The largest file that is read, in bytes.
pub(super) const LARGEST: usize = 256 * 1024;

/// One review with what people need to judge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalReview {
    /// The review as planning sees it.
    pub review: Review,
    /// One line for people.
    pub title: String,
    /// The release record's text as proposed.
    pub record: String,
    /// The last commit of its branch that is known.
    pub head: CommitId,
    /// An approval that has begun: complete once the tracked branch contains its merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) approval: Option<BegunApproval>,
}

/// Who approves, written down before the tracked branch moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BegunApproval {
    pub(super) by: Person,
    pub(super) at: Timestamp,
    pub(super) merge: CommitId,
}

impl LocalReview {
    /// Where the release record stands, on the review's branch and once it is merged.
    pub fn record_path(&self) -> String {
        Release::path(&self.review.connector, &self.review.version)
    }

    /// The same review in another state, with no approval under way.
    pub(super) fn in_state(&self, state: ReviewState) -> Self {
        Self { review: Review { state, ..self.review.clone() }, approval: None, ..self.clone() }
    }

    /// Writes the file.
    pub(super) fn write(&self) -> anyhow::Result<Vec<u8>> {
        Ok(serde_yaml::to_string(self)?.into_bytes())
    }

    /// Reads the file of the review with this number, or tells why it is refused. Who can push can write anything here: a
    /// branch that is not the review's own would have Switchboard delete or merge somebody else's.
    pub(super) fn read(number: u64, bytes: &[u8]) -> Result<Self, String> {
        let document = Document::parse(NAME, bytes).map_err(|problems| problems.first().map(ToString::to_string).unwrap_or_default())?;
        let file: Self = serde_json::from_value(document.value().clone()).map_err(|error| error.to_string())?;
        let review = &file.review;
        if review.id.0 != number {
            return Err(format!("it says it is review {}", review.id));
        }
        if review.branch != review_branch(&review.connector, &review.version, &review.digest) {
            return Err(format!("{:?} is not the branch of this connector, version and content", review.branch));
        }
        if Digest::of(file.record.as_bytes()) != review.record {
            return Err("its record is not the one that was proposed".to_owned());
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    use super::*;
    use crate::model::ReviewId;

    fn file(digest: Digest, text: &str) -> LocalReview {
        let (connector, version) = ("github-issues".parse().unwrap(), "1.2.0".parse().unwrap());
        let review = Review {
            id: ReviewId(7),
            branch: review_branch(&connector, &version, &digest),
            connector,
            version,
            digest,
            record: Digest::of(text.as_bytes()),
            requested_by: Person::new(text),
            authors: vec![Person::new(text)],
            opened_at: Timestamp::UNIX_EPOCH,
            state: ReviewState::Rejected { by: Person::new("a@b"), at: Timestamp::UNIX_EPOCH, reason: text.to_owned() },
        };
        LocalReview { review, title: text.to_owned(), record: text.to_owned(), head: CommitId::new(digest.to_string()), approval: None }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes in any::<[u8; 32]>(), text in "[ -~\\n\u{a1}-\u{ff}]{0,40}") {
            let file = file(Digest::from_bytes(bytes), &text);
            assert_eq!(LocalReview::read(7, &file.write().unwrap()), Ok(file));
        }

        #[test]
        fn garbage_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            assert!(LocalReview::read(7, &bytes).is_err());
        }
    }

    #[test]
    fn digests_that_look_like_numbers_are_read_back() {
        for byte in [0x00, 0x11, 0x1e, 0xe1, 0x99] {
            let file = file(Digest::from_bytes([byte; 32]), "1e5");
            assert_eq!(LocalReview::read(7, &file.write().unwrap()), Ok(file));
        }
    }

    #[test]
    fn a_file_that_speaks_of_something_else_is_refused() {
        let good = file(Digest::of(b"x"), "text");
        assert!(LocalReview::read(8, &good.write().unwrap()).is_err());
        let mut main = good.clone();
        main.review.branch = "main".to_owned();
        assert!(LocalReview::read(7, &main.write().unwrap()).unwrap_err().contains("\"main\" is not the branch"));
        let mut changed = good.clone();
        changed.record.push('!');
        assert!(LocalReview::read(7, &changed.write().unwrap()).is_err());
    }
}
