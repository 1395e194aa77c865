//! Pure: a bundle into the completeness report; one file per family of rules.
//!
//! A rule is needed from some status on (see `Findings::needed`): what breaks the connector is always an error, what a deployment needs
//! is one from `pre-published` on, what a user of the connector needs is one when `published` is asked for. Before that it is a warning,
//! so that an author sees early what is to come. The report therefore depends on the manifest's status, which the digest leaves out.

mod codes;
mod connection;
mod coverage;
mod findings;
mod flows;
mod identity;
mod matching;
mod parts;
mod references;
#[cfg(test)]
mod sample;
mod schemas;
mod secrets;
mod subschemas;
mod suites;
mod values;

pub use codes::CODES;
pub(crate) use codes::UNREADABLE_VALUE;
pub use coverage::{untested, with_untested};
pub use values::{OpenSecrets, lacking, misfit, values};

use crate::flow;
use crate::manifest::{self, Bundle, Code};
use crate::model::{BundleFiles, Problem};
use findings::Findings;

/// Everything that is wrong with a connector's files or still missing, and the bundle where they can be read as one.
pub fn of_files(folder: &str, files: &BundleFiles) -> (Vec<Problem>, Option<Bundle>) {
    match Bundle::read(folder, files) {
        Ok(bundle) => (report(&bundle), Some(bundle)),
        Err(mut problems) => {
            // What is wrong with a suite hides nothing that is wrong with the flows.
            if let Ok(bundle) = Bundle::read(folder, &manifest::without_suites(files)) {
                problems.extend(flow::check(&bundle).0);
            }
            (problems, None)
        }
    }
}

/// Everything that is wrong with a bundle or still missing, in the order of the places.
pub fn report(bundle: &Bundle) -> Vec<Problem> {
    let mut findings = Findings::of(bundle);
    identity::check(&mut findings);
    connection::check(&mut findings);
    parts::check(&mut findings);
    schemas::check(&mut findings);
    references::check(&mut findings);
    suites::check(&mut findings);
    matching::check(&mut findings);
    flows::check(&mut findings);
    let (problems, program) = flow::check(bundle);
    findings.add(problems);
    program.iter().for_each(|program| secrets::check(&mut findings, program));
    findings.in_order()
}

/// What a code means, whichever room reports it; the id may be in any case.
pub fn explain(id: &str) -> Option<&'static Code> {
    catalogue().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// Every code of every room, in order.
pub fn catalogue() -> impl Iterator<Item = &'static Code> {
    manifest::CODES.iter().chain(CODES).chain(flow::CODES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_nothing_wrong_with_it() {
        assert_eq!(sample::report(|_| ()), Vec::<String>::new());
    }

    #[test]
    fn problems_are_in_the_order_of_their_places() {
        let found = sample::problems(|sample| {
            sample.replace("    title: Get a thing\n", "");
            sample.replace("    output: { $ref: \"#/types/Thing\" }\n", "");
        });
        assert_eq!(found.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), [codes::NO_TITLE, codes::NO_OUTPUT]);
        assert!(found.is_sorted_by_key(|problem| &problem.place));
    }

    #[test]
    fn every_problem_has_a_hint_and_a_code_of_the_catalogue() {
        let found = sample::problems(|sample| {
            sample.replace("version: 1.0.0\n", "");
            sample.replace("#/types/Thing", "#/types/Thnig");
            sample.replace("    title: Get a thing\n", "");
        });
        assert_eq!(found.len(), 3);
        for problem in found {
            assert!(problem.hint.is_some(), "{problem}");
            assert!(explain(&problem.code).is_some(), "{problem}");
        }
    }

    #[test]
    fn what_is_wrong_in_flows_is_part_of_the_report() {
        assert_eq!(
            sample::report(|sample| sample.replace("call: request, with: { method: get, path: /me }", "run: { shell: { command: ls } }")),
            ["SB304 error 20:22"]
        );
        assert_eq!(sample::report(|sample| sample.replace("errors: [not-found]", "errors: [not-fuond]")), ["SB322 error 27:14"]);
    }

    #[test]
    fn codes_of_all_rooms_are_explained() {
        assert_eq!(explain("sb001").map(|code| code.id), Some("SB001"));
        assert_eq!(explain("SB101").map(|code| code.id), Some("SB101"));
        assert_eq!(explain("SB000"), None);
        assert!(catalogue().is_sorted_by(|a, b| a.id < b.id), "ids are unique and in order");
    }
}
