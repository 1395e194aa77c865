//! A team at work in a universe: people commit, review and merge; the process runs passes. Reads like a story in tests.

use std::fmt::Write as _;

use jiff::SignedDuration;
use switchboard::model::{Clock as _, ConnectorName, Digest, EnvironmentName, Evidence, Fact, Person, Review, Stage, Version};
use switchboard::pass::{self, Memory, Report, World};
use switchboard::planning::{self, Plan, WaitingOn};
use switchboard::store::NewFact;

use super::universe::{RegistryState, StoreState, Universe};

/// What a sample connector says.
#[derive(Debug, Clone)]
pub struct Draft {
    pub name: String,
    pub kind: &'static str,
    pub version: Option<String>,
    pub status: &'static str,
    /// Any text: another one is other content.
    pub content: String,
    /// Whether its tests fail.
    pub fails: bool,
    /// Whether its check report has an error.
    pub untested: bool,
    /// Whether nobody can read it.
    pub broken: bool,
}

impl Draft {
    /// A connector that could be published as it is.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "saas",
            version: Some("1.0.0".to_owned()),
            status: "editing",
            content: "first".to_owned(),
            fails: false,
            untested: false,
            broken: false,
        }
    }

    fn manifest(&self) -> String {
        let mut text = format!(
            "apiVersion: switchboard/v1\nname: {}\ntitle: Sample\ndescription: A sample, {}{}.\nkind: {}\n",
            self.name,
            self.content,
            if self.fails { " that FAILS" } else { "" },
            self.kind,
        );
        if let Some(version) = &self.version {
            writeln!(text, "version: {version}").unwrap();
        }
        writeln!(text, "status: {}\nowner: alice@example.com\nactions:\n  get:", self.status).unwrap();
        text.push_str("    title: Get a thing\n    description: Returns the thing.\n");
        text.push_str("    input: { type: object, properties: { id: { type: string } } }\n");
        text.push_str("    output: { type: object, properties: { id: { type: string } } }\n");
        text.push_str("    do:\n      - answer: { set: { id: \"${ .id }\" } }\n");
        if self.broken {
            text.push_str("actoins: {\n");
        }
        text
    }

    fn suite(&self) -> &'static str {
        "title: All\ncases:\n  - title: returns the thing\n    action: get\n    input: { id: a }\n    expect: { output: { id: a } }\n"
    }
}

/// The settings every sample team has.
pub const SETTINGS: &str = "apiVersion: switchboard/v1\n";

/// A team, its repository, and a process that serves it.
pub struct Team {
    pub universe: Universe,
    pub world: World,
    pub memory: Memory,
    epoch: u64,
    runtime: tokio::runtime::Runtime,
}

impl Team {
    /// A team whose repository holds its settings and nothing else.
    pub fn new() -> Self {
        let universe = Universe::new();
        universe.state().git.change(|files| {
            files.insert("switchboard.yaml".to_owned(), SETTINGS.into());
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut team = Self { world: universe.world(), universe, memory: Memory::new(), epoch: 0, runtime };
        team.restart();
        team
    }

    /// Commits a connector as drafted.
    pub fn commit(&self, draft: &Draft) {
        self.universe.state().git.change(|files| {
            files.insert(format!("connectors/{}/connector.yaml", draft.name), draft.manifest().into_bytes());
            let suite = format!("connectors/{}/tests/all.yaml", draft.name);
            match draft.untested {
                true => files.remove(&suite),
                false => files.insert(suite, draft.suite().into()),
            };
        });
    }

    /// Commits the deletion of a connector's folder.
    pub fn delete(&self, name: &str) {
        self.universe.state().git.change(|files| files.retain(|path, _| !path.starts_with(&format!("connectors/{name}/"))));
    }

    /// Commits the removal of a connector's release records.
    pub fn remove_records(&self, name: &str) {
        self.universe.state().git.change(|files| files.retain(|path, _| !path.starts_with(&format!("releases/{name}/"))));
    }

    /// What the store and the registry hold is lost, and the process starts again.
    pub fn lose_state(&mut self) {
        {
            let mut state = self.universe.state();
            state.store = StoreState::default();
            state.registry = RegistryState::default();
        }
        self.restart();
    }

    /// The process ends, however it ends, and starts again.
    pub fn restart(&mut self) {
        self.universe.restart();
        self.memory = Memory::new();
        self.memory.lease_held = true;
        let store = self.world.store.clone();
        let now = self.universe.clock.now();
        self.epoch = self.runtime.block_on(store.begin_epoch(now, "test")).unwrap_or(self.epoch);
    }

    /// One pass, whatever becomes of it.
    pub fn try_pass(&mut self) -> anyhow::Result<Report> {
        let report = self.runtime.block_on(pass::run(&self.world, &mut self.memory, self.epoch));
        if let Ok(Report { snapshot, .. }) = &report
            && let Some(commit) = snapshot.commit.as_ref().filter(|_| !snapshot.is_blind())
        {
            let mut state = self.universe.state();
            let present = state.git.connectors_at(commit);
            state.audit.sees(|connector| present.contains(connector.as_str()));
        }
        report
    }

    /// A person confirms every deletion that waits for it.
    pub fn confirm_deletions(&mut self) -> usize {
        let (at, by) = (self.universe.clock.now(), Person::new("alice@example.com"));
        let waiting = self.plan().holds.into_iter().filter_map(|hold| match hold.waiting_on {
            WaitingOn::Confirmation { id, .. } => {
                Some(NewFact { at, connector: hold.connector, fact: Fact::DeletionConfirmed { id, by: by.clone() } })
            }
            _ => None,
        });
        let facts: Vec<NewFact> = waiting.collect();
        let store = self.world.store.clone();
        self.runtime.block_on(store.append(&facts)).unwrap();
        facts.len()
    }

    /// Passes until nothing is left to do, in one go.
    pub fn apply(&self) -> anyhow::Result<()> {
        self.runtime.block_on(switchboard::daemon::run_to_rest(&self.world, self.epoch, |_| ()))
    }

    /// One pass that works.
    pub fn pass(&mut self) -> Report {
        self.try_pass().unwrap()
    }

    /// What a pass would do.
    pub fn plan(&mut self) -> Plan {
        self.runtime.block_on(pass::preview(&self.world, &mut self.memory)).unwrap().1
    }

    /// What a second process shows that only looks.
    pub fn onlook(&self, others_at_work: bool) -> Plan {
        let mut memory = Memory::new();
        memory.others_at_work = others_at_work;
        self.runtime.block_on(pass::preview(&self.world, &mut memory)).unwrap().1
    }

    /// Runs passes, lets tests end and time go by, until two passes running plan nothing and nothing runs:
    /// a single one may have been blinded by a fault.
    pub fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..200 {
            let report = self.try_pass();
            let now = self.universe.clock.now();
            let crashed = self.universe.state().crashed;
            if crashed {
                self.restart();
                continue;
            }
            let busy = self.universe.state().harness.is_busy();
            self.universe.state().finish_tests(now);
            let is_quiet = report.is_ok_and(|report| report.plan.is_empty()) && !busy && pass::next_attempt(&self.memory, now).is_none();
            quiet = if is_quiet { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
            self.universe.clock.advance(SignedDuration::from_secs(30));
        }
        panic!("200 passes did not come to rest; the last plan: {:#?}", self.plan());
    }

    /// What every story ends with: nothing is left to do, and no rule was broken.
    pub fn assert_at_rest(&mut self) {
        self.settle();
        let steps = self.plan().steps;
        assert!(steps.is_empty(), "one more pass plans {steps:#?}");
        let violations = std::mem::take(&mut self.universe.state().audit.violations);
        assert!(violations.is_empty(), "{violations:#?}");
    }

    /// The version an environment holds of a connector.
    pub fn held(&self, environment: &str, connector: &str) -> Option<String> {
        let key = (environment.parse::<EnvironmentName>().unwrap(), connector.parse::<ConnectorName>().unwrap());
        self.universe.state().registry.holdings.get(&key).map(|holding| holding.version.to_string())
    }

    /// Where a connector stands.
    pub fn stage(&mut self, connector: &str) -> Stage {
        let (snapshot, _) = self.runtime.block_on(pass::preview(&self.world, &mut self.memory)).unwrap();
        planning::stage_of(&snapshot.connectors[&connector.parse::<ConnectorName>().unwrap()], &snapshot.policy)
    }

    /// What somebody else's run of a connector's tests leaves in the store.
    pub fn keep(&self, evidence: &Evidence) {
        let fact = Fact::TestsFinished { digest: evidence.digest, verdict: evidence.verdict() };
        let fact = NewFact { at: self.universe.clock.now(), connector: evidence.connector.clone(), fact };
        self.runtime.block_on(self.world.store.append_evidence(evidence, &[fact])).unwrap();
        if evidence.verdict().is_good() {
            self.universe.state().audit.passed.insert(evidence.digest);
        }
    }

    /// The identity of a connector's content, as committed.
    pub fn digest(&mut self, connector: &str) -> Digest {
        let (snapshot, _) = self.runtime.block_on(pass::preview(&self.world, &mut self.memory)).unwrap();
        snapshot.connectors[&connector.parse::<ConnectorName>().unwrap()].declaration().unwrap().digest
    }

    /// What a connector waits on.
    pub fn waits_on(&mut self, connector: &str) -> Vec<WaitingOn> {
        let plan = self.plan();
        plan.holds.into_iter().filter(|hold| hold.connector.as_str() == connector).map(|hold| hold.waiting_on).collect()
    }

    /// The steps a pass would take, as words.
    pub fn steps(&mut self) -> Vec<String> {
        self.plan().steps.iter().map(|planned| format!("{} {}", planned.step.verb(), planned.connector)).collect()
    }

    /// The newest review of a connector.
    pub fn review(&self, connector: &str) -> Review {
        self.reviews(connector).pop().expect("the connector has a review")
    }

    /// Every review of a connector, oldest first.
    pub fn reviews(&self, connector: &str) -> Vec<Review> {
        self.universe.state().forge.reviews.iter().filter(|review| review.connector.as_str() == connector).cloned().collect()
    }

    /// A second person approves the newest review of a connector.
    pub fn approve(&self, connector: &str) {
        let (review, now) = (self.review(connector), self.universe.clock.now());
        self.universe.state().approve(review.id, now);
    }

    /// A second person closes the newest review of a connector.
    pub fn reject(&self, connector: &str, reason: &str) {
        let (review, now) = (self.review(connector), self.universe.clock.now());
        self.universe.state().reject(review.id, reason, now);
    }

    /// Takes a connector all the way to published.
    pub fn publish(&mut self, draft: &mut Draft) {
        draft.status = "published";
        self.commit(draft);
        self.settle();
        self.approve(&draft.name);
        self.settle();
        let version = draft.version.as_ref().map(|version| version.parse::<Version>().unwrap().to_string());
        assert_eq!(self.held("production", &draft.name), version.or_else(|| self.held("production", &draft.name)));
    }
}
