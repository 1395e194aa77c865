//! From a snapshot to a plan: each connector is asked the gates in order, and the first that does not let it pass decides.

use super::deletions::Deletions;
use super::gates::{self, Gate};
use super::stage::stage_of;
use super::{Connector, Declaration, Desired, Gap, Hold, Plan, PlannedStep, Retry, Snapshot, Step, WaitingOn};
use crate::model::{ConnectorName, Status};

/// Compares what git asks for with what is. Equal snapshots give equal plans.
pub fn plan(snapshot: &Snapshot) -> Plan {
    let mut plan =
        Plan { commit: snapshot.commit.clone(), gaps: snapshot.gaps.clone(), oddities: snapshot.oddities.clone(), ..Plan::default() };
    if snapshot.is_blind() {
        return plan;
    }
    plan.undeclared = snapshot.undeclared();
    let deletions = Deletions::of(snapshot);
    for (name, connector) in snapshot.connectors.iter() {
        let mut turn = Turn { snapshot, name, connector, step: None, holds: Vec::new(), failed: None };
        turn.take(&deletions);
        turn.wait_for_retry();
        plan.holds.extend(turn.holds);
        plan.steps.extend(turn.step);
        plan.failed.extend(turn.failed.map(|retry| (name.clone(), retry)));
    }
    plan.steps.sort_by_key(|planned| !matches!(planned.step, Step::Delete { .. }));
    plan
}

/// One connector's turn in a plan.
struct Turn<'s> {
    snapshot: &'s Snapshot,
    name: &'s ConnectorName,
    connector: &'s Connector,
    step: Option<PlannedStep>,
    holds: Vec<Hold>,
    failed: Option<Retry>,
}

impl Turn<'_> {
    fn take(&mut self, deletions: &Deletions) {
        match &self.connector.desired {
            Desired::Absent => self.delete(deletions),
            Desired::Unreadable { problems, .. } => {
                self.publish();
                self.hold(unreadable(problems));
            }
            Desired::Declared(declaration) => {
                // What was approved is published whatever has happened to the manifest since; it comes first so that
                // an edit made during the review waits for it.
                if self.publish() {
                    self.advance(declaration);
                }
            }
        }
    }

    fn delete(&mut self, deletions: &Deletions) {
        match self.forge_failure() {
            Some(reason) if !self.connector.holdings.is_empty() => self.hold(WaitingOn::Forge { reason }),
            Some(_) => {}
            None => {
                self.ask(deletions.gate(self.connector));
            }
        }
    }

    fn publish(&mut self) -> bool {
        if self.forge_failure().is_none() {
            for refused in gates::refused_records(self.connector) {
                self.hold(refused);
            }
        }
        let (connector, policy) = (self.connector, &*self.snapshot.policy);
        self.ask(gates::history(connector, policy)) && self.ask(gates::publish(connector, policy))
    }

    fn advance(&mut self, declaration: &Declaration) {
        let (connector, policy) = (self.connector, &*self.snapshot.policy);
        if !(self.ask(gates::withdraw(connector, declaration, policy)) && self.ask(gates::frozen(connector, declaration))) {
            return;
        }
        match declaration.status {
            Status::Editing => {}
            Status::PrePublished => {
                self.pre_publish(declaration);
            }
            Status::Published => match self.forge_failure() {
                // Without the forge nobody knows whether a review froze other content.
                Some(reason) => self.hold(WaitingOn::Forge { reason }),
                None => {
                    if self.pre_publish(declaration) && !gates::is_published(connector, declaration, policy) {
                        self.propose(declaration);
                    }
                }
            },
        }
    }

    fn pre_publish(&mut self, declaration: &Declaration) -> bool {
        self.ask(gates::version(self.connector, declaration))
            && self.ask(gates::deploy(self.connector, declaration, &self.snapshot.policy))
            && self.ask(gates::tests(self.connector, declaration))
    }

    fn propose(&mut self, declaration: &Declaration) {
        if self.ask(gates::clean_report(declaration)) && self.ask(gates::rejected(self.connector, declaration)) {
            self.ask(gates::review(self.connector, declaration, self.snapshot));
        }
    }

    /// Takes a gate's answer; `true` where the next gate may be asked.
    fn ask(&mut self, gate: Gate) -> bool {
        match gate {
            Gate::Open => true,
            Gate::Hold(waiting_on) => {
                self.hold(waiting_on);
                false
            }
            Gate::Step(step, cause, reason) => {
                self.step = Some(PlannedStep { connector: self.name.clone(), step, cause, reason });
                false
            }
        }
    }

    fn hold(&mut self, waiting_on: WaitingOn) {
        let stage = stage_of(self.connector, &self.snapshot.policy);
        self.holds.push(Hold { connector: self.name.clone(), stage, waiting_on });
    }

    /// A step that failed a moment ago is held until its next attempt; any other step is not.
    fn wait_for_retry(&mut self) {
        let Some(retry) = &self.connector.retry else { return };
        if !self.step.as_ref().is_some_and(|planned| planned.step.is_attempt_of(&retry.step)) {
            return;
        }
        self.failed = Some(retry.clone());
        if self.snapshot.taken_at < retry.at {
            self.step = None;
            let Retry { at, failures, failed_at, failure, step: _ } = retry.clone();
            self.hold(WaitingOn::Retry { at, failures, failed_at, failure });
        }
    }

    fn forge_failure(&self) -> Option<String> {
        self.snapshot.gaps.iter().find_map(|gap| match gap {
            Gap::Reviews(reason) => Some(reason.clone()),
            Gap::Repository(_) | Gap::EmptyTree | Gap::Config(_) => None,
        })
    }
}

fn unreadable(problems: &[crate::model::Problem]) -> WaitingOn {
    let problem = problems.first().map(ToString::to_string).unwrap_or_default();
    WaitingOn::ReadableManifest { problem, problems: problems.len() }
}
