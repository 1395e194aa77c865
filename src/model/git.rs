//! Names of git objects, as git writes them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! object_id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// Takes the object's name as git writes it.
            pub fn new(id: impl AsRef<str>) -> Self {
                Self(id.as_ref().into())
            }

            /// The full name.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first 10 digits, for people.
            pub fn short(&self) -> &str {
                self.0.get(..10).unwrap_or(&self.0)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

object_id! {
    /// A commit.
    CommitId
}

object_id! {
    /// A tree: equal ids mean equal content, so an unchanged folder is never read twice.
    TreeId
}

object_id! {
    /// A blob: one file's content.
    BlobId
}
