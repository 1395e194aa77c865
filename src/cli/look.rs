//! A look at how things stand: one snapshot and the plan that follows from it, with everything opened and nothing changed.

use super::Door;
use super::failure::Failure;
use super::working_files::unknown_connector;
use crate::assemble::Assembled;
use crate::model::ConnectorName;
use crate::pass;
use crate::planning::{Gap, Plan, Snapshot};

/// What a command that only looks has before it.
pub struct Look {
    /// Everything opened; to be closed in the end.
    pub assembled: Assembled,
    /// What was seen.
    pub snapshot: Snapshot,
    /// What the next pass would do about it.
    pub plan: Plan,
}

impl Look {
    /// Opens everything and looks; `attempt` is what for. What cannot be read is a gap of the plan, not a failure.
    pub async fn begin(door: &Door, attempt: &str) -> Result<Self, Failure> {
        let assembled = door.assemble(attempt).await?;
        let (snapshot, plan) = pass::preview(&assembled.world, &mut assembled.onlooker()).await?;
        Ok(Self { assembled, snapshot, plan })
    }

    /// The connector of a name, wherever it is known from.
    pub fn find(&self, name: &str, attempt: &str) -> Result<ConnectorName, Failure> {
        let known = &self.snapshot.connectors;
        if let Some(found) = name.parse::<ConnectorName>().ok().filter(|name| known.contains_key(name)) {
            return Ok(found);
        }
        // Whether there is one can only be told where the repository could be read.
        match self.unread_repository() {
            Some(gap) => Err(Failure::refused(attempt, format!("no connector `{name}` is known: {gap}"))),
            None => Err(unknown_connector(name, attempt, known.keys().map(ConnectorName::as_str))),
        }
    }

    fn unread_repository(&self) -> Option<&Gap> {
        self.plan.gaps.iter().find(|gap| matches!(gap, Gap::Repository(_)))
    }

    /// Tells of what could not be read.
    pub fn warn_of_gaps(&self, door: &Door) {
        self.plan.gaps.iter().for_each(|gap| door.shell.warn(gap.to_string()));
        if self.unread_repository().is_some() && !self.snapshot.connectors.is_empty() {
            door.shell.warn("what is shown is the last known state");
        }
    }
}
