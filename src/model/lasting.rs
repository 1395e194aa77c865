//! How long something takes or may take, as it stands in a sentence.

use std::time::Duration;

/// A length of time in whole seconds where it has no others, otherwise in milliseconds.
pub fn lasting(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}
