//! Pure: a bundle into the completeness report; one file per family of rules.

use crate::manifest::{Bundle, MANIFEST};
use crate::model::{Place, Problem};

/// The completeness report of one bundle.
pub fn report(bundle: &Bundle) -> Vec<Problem> {
    let place = Place::file(format!("connectors/{}/{MANIFEST}", bundle.manifest.name));
    if bundle.suites.is_empty() { vec![Problem::error("SB150", place, "nothing is tested")] } else { Vec::new() }
}
