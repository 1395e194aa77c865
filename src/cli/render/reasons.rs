//! Why a connector stands where it stands, in sentences: what its author asks for, what is so, what comes next.

use super::columns::one_line;
use crate::cli::standing::Details;
use crate::model::{Stage, Status};
use crate::planning::WaitingOn;

/// The reasons, most important first.
pub fn of(details: &Details) -> Vec<String> {
    let standing = &details.standing;
    let name = &standing.connector;
    let mut reasons = vec![format!("{name} is {}: {}", standing.stage, stage(details))];
    if let Some(status) = standing.status {
        reasons.push(format!("Its manifest asks for `{status}`: {}", asked(status)));
    } else {
        reasons.push("Nothing declares it on the tracked branch any more.".to_owned());
    }
    if let Some(tests) = details.tests {
        reasons.push(format!("The tests of this content: {tests}."));
    }
    let errors = details.report.iter().filter(|problem| problem.is_error()).count();
    if errors > 0 {
        reasons.push(format!("Its report has {}; `switchboard show {name}` lists them.", super::problems::counted(errors, 0)));
    }
    reasons.extend(standing.waiting_on.iter().map(|waiting| format!("It waits on {}.", one_line(&waiting.summary))));
    if standing.waiting_on.iter().any(|waiting| matches!(waiting.on, WaitingOn::PassingTests { .. })) {
        reasons.push(format!("Mend it, and the new content is tested; `switchboard test {name} --again` runs the tests of this one anew."));
    }
    reasons.extend(standing.next.iter().map(|next| format!("The next pass will {}: {}.", next.summary, one_line(&next.step.reason))));
    if let (Some(failed), Some(_)) = (&standing.failed, &standing.next) {
        reasons.push(format!("That failed at {:.0}: {}.", failed.retry.failed_at, one_line(&failed.retry.failure)));
    }
    if standing.waiting_on.is_empty() && standing.next.is_none() {
        reasons.push("There is nothing to do, and it waits on nothing.".to_owned());
    }
    reasons
}

fn stage(details: &Details) -> String {
    let environments: Vec<String> =
        details.standing.environments.iter().map(|(environment, held)| format!("{environment} holds {}", held.version)).collect();
    let held = if environments.is_empty() { "no environment holds anything of it".to_owned() } else { environments.join(", ") };
    match details.standing.stage {
        Stage::Editing if environments.is_empty() => "no environment holds anything of it.".to_owned(),
        Stage::Editing => format!("its present content stands nowhere yet ({held})."),
        Stage::PrePublished => format!("its present content stands in every non-production environment ({held})."),
        Stage::InReview => format!("a review of it is open, and its content is frozen ({held})."),
        Stage::Rejected => format!("the review of its present content was closed without approval ({held})."),
        Stage::Published => format!("its present content stands in every production environment ({held})."),
    }
}

fn asked(status: Status) -> &'static str {
    match status {
        Status::Editing => "nothing is to be done with it.",
        Status::PrePublished => "it is to be deployed for testing.",
        Status::Published => "it is to be tested, reviewed and published.",
    }
}
