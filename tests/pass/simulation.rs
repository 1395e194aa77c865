//! Random histories of commits, reviews, restarts, lost state and faults, against the real planning and pass code.
//! After every event the witness is asked whether a rule was broken; at rest, one more pass plans nothing.
//!
//! `SWITCHBOARD_HISTORIES=20000 cargo nextest run simulation` runs more; `SWITCHBOARD_SEED=n` runs one and tells what happens.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::SignedDuration;
use switchboard::model::{Clock as _, Review, Stage};
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};
use crate::support::universe::{Fault, LINK};

const CONNECTORS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const EVENTS: usize = 40;

/// What must happen now and then, lest nothing be shown.
#[derive(Default)]
struct Seen {
    /// How often content was published again after other content.
    returns: usize,
    /// How often something was deleted above the cap, by a confirmation.
    confirmed_deletions: usize,
}

/// One random history.
struct History {
    seed: u64,
    rng: Rng,
    team: Team,
    drafts: BTreeMap<&'static str, Draft>,
    /// What was published once, to go back to.
    published: Vec<(&'static str, Draft)>,
    told: Vec<String>,
}

impl History {
    fn new(seed: u64) -> Self {
        let drafts = CONNECTORS.iter().map(|name| (*name, Draft::new(name))).collect();
        Self { seed, rng: Rng::with_seed(seed), team: Team::new(), drafts, published: Vec::new(), told: Vec::new() }
    }

    /// Lets it happen, and returns what the witness saw.
    fn run(mut self) -> Seen {
        for _ in 0..EVENTS {
            let event = self.happen();
            self.told.push(event);
            self.ask_the_witness();
        }
        self.come_to_rest();
        let audit = &self.team.universe.state().audit;
        Seen { returns: audit.returns, confirmed_deletions: audit.confirmed_deletions }
    }

    /// One event; returns what happened, for the failure's report.
    fn happen(&mut self) -> String {
        let name = *self.rng.choice(CONNECTORS.iter()).unwrap();
        match self.rng.u8(0..37) {
            0..=6 => self.edit(name),
            7..=9 => self.people_review(name),
            10..=19 => self.pass_with_fault(),
            20..=21 => self.end_tests(),
            22 => {
                self.team.delete(name);
                format!("{name} is deleted")
            }
            23 => {
                self.team.restart();
                "the process restarts".to_owned()
            }
            24 => self.rewrite_history(),
            25 => self.outage(),
            26 => self.drift(name),
            27 => self.meddle(name),
            28 => self.confirm_deletions(),
            29..=31 => self.bring_to_production(name),
            32 => self.go_back(),
            33..=34 => self.delete_several(),
            35 => self.restore_all(),
            _ => self.lose_state(),
        }
    }

    fn edit(&mut self, name: &'static str) -> String {
        let rng = &mut self.rng;
        let draft = self.drafts.get_mut(name).unwrap();
        match rng.u8(0..10) {
            0..=3 => draft.status = rng.choice(["editing", "pre-published", "published", "published"]).unwrap(),
            4..=5 => draft.content = format!("text {}", rng.u8(0..4)),
            6 => draft.version = rng.choice([None, Some("1.0.0"), Some("1.1.0"), Some("2.0.0")]).unwrap().map(str::to_owned),
            7 => draft.fails = rng.u8(0..3) == 0,
            8 => draft.untested = rng.u8(0..3) == 0,
            _ => draft.broken = rng.u8(0..3) == 0,
        }
        self.team.commit(draft);
        format!("commit {draft:?}")
    }

    /// Somebody asks for good content, the passes go well, and a second person approves.
    fn bring_to_production(&mut self, name: &'static str) -> String {
        let version = *self.rng.choice(["1.0.0", "1.1.0", "2.0.0"].iter()).unwrap();
        let draft = self.drafts.get_mut(name).unwrap();
        (draft.status, draft.version, draft.content) = ("published", Some(version.to_owned()), format!("text of {version}"));
        (draft.fails, draft.untested, draft.broken) = (false, false, false);
        let draft = draft.clone();
        self.push_through(name, draft)
    }

    /// Somebody asks for content that was published before.
    fn go_back(&mut self) -> String {
        let Some((name, draft)) = self.rng.choice(self.published.clone()) else { return "there is nothing to go back to".to_owned() };
        self.drafts.insert(name, draft.clone());
        self.push_through(name, draft)
    }

    fn push_through(&mut self, name: &'static str, draft: Draft) -> String {
        self.team.commit(&draft);
        for _ in 0..6 {
            let _ = self.team.try_pass();
            self.end_tests();
            let now = self.team.universe.clock.now();
            if let Some(review) = self.team.reviews(name).pop() {
                self.team.universe.state().approve(review.id, now);
            }
        }
        let held = self.team.held("production", name);
        let told = format!("{name} is brought to production: {draft:?}: it holds {held:?}");
        if held == draft.version && !self.published.iter().any(|(known, before)| *known == name && before.version == draft.version) {
            self.published.push((name, draft));
        }
        told
    }

    fn people_review(&mut self, name: &str) -> String {
        let now = self.team.universe.clock.now();
        let Some(review) = self.team.reviews(name).pop() else { return format!("nobody reviews {name}") };
        let mut state = self.team.universe.state();
        match self.rng.u8(0..5) {
            0..=2 => state.approve(review.id, now),
            3 => state.reject(review.id, "no", now),
            _ => state.reopen(review.id),
        }
        format!("people look at review {} of {name}: {:?}", review.id, state.forge.reviews[review.id.0 as usize - 1].state)
    }

    fn pass_with_fault(&mut self) -> String {
        let fault = (self.rng.u8(0..3) == 0).then(|| (self.rng.usize(0..25), *self.rng.choice(Fault::ALL.iter()).unwrap()));
        self.team.universe.plan_faults(fault);
        let outcome = self.team.try_pass().map(|report| report.plan.steps.len());
        self.team.universe.plan_faults([]);
        if self.team.universe.state().crashed {
            self.team.restart();
        }
        self.team.universe.clock.advance(SignedDuration::from_secs(self.rng.i64(0..20)));
        format!("pass with {fault:?}: {outcome:?}")
    }

    fn end_tests(&mut self) -> String {
        let now = self.team.universe.clock.now();
        self.team.universe.state().finish_tests(now);
        "tests end".to_owned()
    }

    /// A force-push to any earlier tree, or a squash into a commit of the same tree.
    fn rewrite_history(&mut self) -> String {
        let mut state = self.team.universe.state();
        let trees: Vec<_> = state.git.commits.values().filter(|files| files.contains_key("switchboard.yaml")).cloned().collect();
        let tree = self.rng.choice(trees).unwrap();
        state.git.commit("main", tree);
        "history is rewritten".to_owned()
    }

    fn outage(&mut self) -> String {
        let mut state = self.team.universe.state();
        match self.rng.u8(0..4) {
            0 => state.git.away = !state.git.away,
            1 => state.forge.away = !state.forge.away,
            2 => state.git.damaged_past = !state.git.damaged_past,
            _ => state.harness.out_of_workers = !state.harness.out_of_workers,
        }
        let (git, past) = (state.git.away, state.git.damaged_past);
        format!("outage: git {git}, its past {past}, forge {}, workers {}", state.forge.away, state.harness.out_of_workers)
    }

    fn drift(&mut self, name: &str) -> String {
        let mut state = self.team.universe.state();
        state.registry.holdings.retain(|(_, connector), _| connector.as_str() != name);
        state.registry.revision += 1;
        self.team.memory.lease_held = false;
        format!("every environment loses {name}")
    }

    /// Somebody merges a review's branch by hand, writes a record of their own, or empties the repository.
    fn meddle(&mut self, name: &str) -> String {
        let branch = self.team.reviews(name).pop().map(|review: Review| review.branch);
        let mut state = self.team.universe.state();
        match (self.rng.u8(0..5), branch) {
            (0, Some(branch)) => {
                state.git.merge(&branch);
                format!("{branch} is merged by hand")
            }
            (1, _) => {
                state.git.change(|files| {
                    files.insert(format!("releases/{name}/3.0.0.yaml"), b"apiVersion: switchboard/v1\n".to_vec());
                });
                format!("somebody writes a record of {name}")
            }
            (2 | 3, _) => {
                let path = self.rng.choice([format!("connectors/{name}/icon.svg"), format!("releases/{name}/0.1.0.yaml")]).unwrap();
                state.git.change(|files| {
                    if files.remove(&path).is_none() {
                        files.insert(path.clone(), LINK.to_vec());
                    }
                });
                format!("a link comes or goes: {path}")
            }
            _ => {
                let before = state.git.files();
                state.git.change(|files| files.clear());
                drop(state);
                let _ = self.team.try_pass();
                self.team.universe.state().git.commit("main", before);
                "the repository is empty for one pass".to_owned()
            }
        }
    }

    /// Several connectors are deleted at once, and often somebody confirms it.
    fn delete_several(&mut self) -> String {
        let several: Vec<&str> = CONNECTORS.into_iter().filter(|_| self.rng.u8(0..3) > 0).collect();
        several.iter().for_each(|name| self.team.delete(name));
        let confirmed = if self.rng.bool() { self.confirm_deletions() } else { "nobody is asked".to_owned() };
        format!("{several:?} are deleted: {confirmed}")
    }

    /// Every folder that is gone comes back as it was last drafted.
    fn restore_all(&mut self) -> String {
        let files = self.team.universe.state().git.files();
        let is_gone = |name: &str| !files.contains_key(&format!("connectors/{name}/connector.yaml"));
        let gone: Vec<&Draft> = self.drafts.values().filter(|draft| is_gone(&draft.name)).collect();
        gone.iter().for_each(|draft| self.team.commit(draft));
        format!("{} folders are restored", gone.len())
    }

    fn confirm_deletions(&mut self) -> String {
        if self.team.universe.state().git.away {
            return "nobody confirms anything".to_owned();
        }
        let confirmed = self.team.confirm_deletions();
        format!("{confirmed} deletions are confirmed")
    }

    fn lose_state(&mut self) -> String {
        self.team.lose_state();
        "the state is lost".to_owned()
    }

    fn ask_the_witness(&mut self) {
        let problem = {
            let state = self.team.universe.state();
            let open = |name: &str| state.forge.reviews.iter().filter(|r| r.connector.as_str() == name && r.is_open()).count();
            let doubled = CONNECTORS.iter().find(|name| open(name) > 1).map(|name| format!("{name} has two open reviews"));
            state.audit.violations.first().cloned().or(doubled)
        };
        if let Some(problem) = problem {
            self.fail(&problem);
        }
    }

    fn come_to_rest(&mut self) {
        {
            let mut state = self.team.universe.state();
            (state.git.away, state.git.damaged_past) = (false, false);
            (state.forge.away, state.harness.out_of_workers) = (false, false);
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.team.settle()));
        if outcome.is_err() {
            self.fail("it does not come to rest");
        }
        self.ask_the_witness();
        let steps = self.team.plan().steps;
        if !steps.is_empty() {
            self.fail(&format!("at rest one more pass plans {steps:?}"));
        }
        self.ask_for_the_goal();
    }

    /// At rest every readable connector that nothing holds stands where it asks to stand.
    fn ask_for_the_goal(&mut self) {
        let plan = self.team.plan();
        for hold in &plan.holds {
            if let WaitingOn::MergedRecord { record, .. } = &hold.waiting_on
                && self.team.universe.state().git.files().contains_key(record)
            {
                self.fail(&format!("{} waits for {record}, which is there", hold.connector));
            }
        }
        for name in CONNECTORS {
            let manifest = self.team.universe.state().git.files().get(&format!("connectors/{name}/connector.yaml")).cloned();
            let manifest = String::from_utf8(manifest.unwrap_or_default()).unwrap();
            if !plan.gaps.is_empty() || plan.holds.iter().any(|hold| hold.connector.as_str() == name) {
                continue;
            }
            if manifest.contains("status: p") && self.team.held("test", name).is_none() {
                self.fail(&format!("{name} asks for more than editing, nothing holds it, and it is in no environment"));
            }
            if manifest.contains("status: p") && self.team.stage(name) == Stage::Editing {
                self.fail(&format!("{name} asks for more than editing, nothing holds it, and its content is in no environment"));
            }
            if manifest.contains("status: published") && self.team.stage(name) != Stage::Published {
                self.fail(&format!("{name} asks to be published, nothing holds it, and it is not"));
            }
        }
    }

    fn fail(&self, problem: &str) -> ! {
        panic!("seed {}: {problem}\nthe history:\n  {}", self.seed, self.told.join("\n  "));
    }
}

#[expect(clippy::disallowed_methods, reason = "how much is simulated is asked for from outside")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Two tests, so that two cores share the histories.
fn run_share(share: u64) {
    if let Some(seed) = setting("SWITCHBOARD_SEED") {
        History::new(seed).run();
        return;
    }
    let histories = setting("SWITCHBOARD_HISTORIES").unwrap_or(500);
    let seen = (0..histories).filter(|seed| seed % 2 == share).map(|seed| History::new(seed).run()).fold(Seen::default(), |sum, seen| {
        Seen { returns: sum.returns + seen.returns, confirmed_deletions: sum.confirmed_deletions + seen.confirmed_deletions }
    });
    assert!(seen.returns > 0 || histories < 100, "no history went back to content published before");
    assert!(seen.confirmed_deletions > 0 || histories < 100, "no history deleted by a confirmation");
}

#[test]
fn random_histories_break_no_rule_even_seeds() {
    run_share(0);
}

#[test]
fn random_histories_break_no_rule_odd_seeds() {
    run_share(1);
}
