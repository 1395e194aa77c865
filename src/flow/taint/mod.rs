//! Which secrets can reach what a connector shows: found in its flows as they are written, without evaluating anything.
//!
//! A run redacts whatever depends on a secret, so none gets out; but what is redacted is of no use to anybody, and an author should know
//! before. Secrets are followed through expressions ([`read`]) and from task to task ([`walk`]): requests may have them, and what services
//! answer holds none. Every path that a flow could take is taken, so what is found here may be something that never happens. What is chosen
//! by a secret, with `if` or `switch`, does not count as one.

mod calls;
mod read;
mod request;
mod shade;
mod value;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use self::read::Effort;
use self::shade::{Origins, Shade};
use super::program::{Program, Target};
use super::template::Template;
use super::trigger::Slot;
use crate::manifest::escape;

/// How many steps following the secrets of one connector may take: a hostile manifest would take days.
const STEPS: u32 = 100_000;

/// A secret that can reach something that is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leak {
    /// The expression that reads it: a JSON Pointer into the manifest.
    pub(crate) pointer: String,
    /// The property, or what else the secret is.
    pub(crate) secret: String,
    /// What shows it.
    pub(crate) end: End,
}

/// What shows something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// The output of an action.
    Output(String),
    /// The output of the test connection.
    TestOutput,
    /// An event of a trigger.
    Event(String),
    /// An error, raised by this flow.
    Error(String),
    /// The cursor of a trigger.
    Cursor(String),
    /// What is remembered of the events of a trigger.
    Remembered(String),
    /// The subscription of a trigger.
    Subscription(String),
    /// What a webhook answers.
    Answer(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(action) => write!(f, "the output of the action `{action}`"),
            Self::TestOutput => f.write_str("the output of the test connection"),
            Self::Event(trigger) => write!(f, "an event of the trigger `{trigger}`"),
            Self::Error(flow) => write!(f, "an error of {flow}"),
            Self::Cursor(trigger) => write!(f, "the cursor of the trigger `{trigger}`"),
            Self::Remembered(trigger) => write!(f, "what `deduplicateBy` remembers for the trigger `{trigger}`"),
            Self::Subscription(trigger) => write!(f, "what `subscribe` returns for the trigger `{trigger}`"),
            Self::Answer(trigger) => write!(f, "what the webhook of the trigger `{trigger}` answers"),
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Leaks {
    /// In the order of their pointers.
    pub(crate) found: BTreeSet<Leak>,
    /// Whether the flows are too intertwined to be followed to their ends.
    pub(crate) unfinished: bool,
}

impl Program {
    /// Finds the secrets that can reach what is shown. Nothing is evaluated, so it is safe in any process.
    pub(crate) fn leaks(&self) -> Leaks {
        let mut analysis = Analysis {
            program: self,
            origins: Vec::new(),
            numbers: BTreeMap::new(),
            found: BTreeSet::new(),
            called: BTreeMap::new(),
            effort: Effort::new(STEPS),
        };
        analysis.follow();
        Leaks { unfinished: analysis.effort.is_spent(), found: analysis.found }
    }
}

/// A secret, and the expression that reads it.
type Origin = (Box<str>, Box<str>);

/// What a value of a flow can hold at one place.
struct Analysis<'p> {
    program: &'p Program,
    origins: Vec<Origin>,
    numbers: BTreeMap<Origin, u32>,
    found: BTreeSet<Leak>,
    /// The actions that flows call, by what their inputs can hold, with what their outputs can hold.
    called: BTreeMap<(&'p str, Shade), Shade>,
    effort: Effort,
}

/// The values of the variables at one place of a flow.
#[derive(Clone, Copy)]
struct Scene<'a> {
    /// Gives what is not the connection.
    variables: &'a dyn Fn(&str) -> Shade,
    /// The secrets of `$authorization`.
    authorization: &'a BTreeSet<Box<str>>,
}

impl<'p> Analysis<'p> {
    fn follow(&mut self) {
        let program = self.program;
        // What a call gives is known better each time, until nothing is new.
        loop {
            let before = self.called.clone();
            self.entries();
            let waiting: Vec<_> = self.called.keys().cloned().collect();
            for (name, input) in waiting {
                let Some((target, flow)) = program.library.flows.get_key_value(&Target::Action(name.to_owned())) else { continue };
                let output = self.flow(target, flow, &input);
                self.called.entry((name, input)).or_default().join(&output);
            }
            if self.called == before || self.effort.is_spent() {
                return;
            }
        }
    }

    fn entries(&mut self) {
        let program = self.program;
        for (target, flow) in &program.library.flows {
            match target {
                Target::Action(name) => {
                    let output = self.flow(target, flow, &Shade::default());
                    self.reached(&output.all(), &End::Output(name.clone()));
                }
                Target::TestConnection => {
                    let output = self.flow(target, flow, &Shade::default());
                    self.reached(&output.all(), &End::TestOutput);
                }
                Target::Subscribe(name) => {
                    let output = self.flow(target, flow, &Shade::default());
                    self.reached(&output.all(), &End::Subscription(name.clone()));
                }
                Target::Unsubscribe(name) => {
                    let input = self.subscription(name);
                    self.flow(target, flow, &input);
                }
                Target::Trigger(name) => {
                    let input = self.subscription(name);
                    let output = self.flow(target, flow, &input);
                    self.kept(name, &output);
                }
            }
        }
        program.triggers.keys().for_each(|name| self.answers(name));
    }

    /// What a trigger's flow starts from: the secret of a subscription, where it verifies requests with it.
    fn subscription(&mut self, name: &str) -> Shade {
        let Some(trigger) = self.program.trigger(name) else { return Shade::default() };
        let mut input = Shade::default();
        for slot in Slot::SECRETS {
            let Some(Template::Expression(expression)) = trigger.template(slot) else { continue };
            let Some(path) = expression.term().as_ref().and_then(read::keys).map(|keys| keys.join("\0")) else { continue };
            let keys: Vec<&str> = path.split('\0').collect();
            if keys.first() == Some(&"subscription") {
                let pointer = format!("/triggers/{}/on/webhook/{}", escape(name), place(slot));
                let number = self.number(&keys.join("."), &pointer);
                input.join(&Shade::default().with(&keys, Shade::of([number].into())));
            }
        }
        input
    }

    /// What is kept of a run of a trigger.
    fn kept(&mut self, name: &str, output: &Shade) {
        let base = format!("/triggers/{}", escape(name));
        self.slot(name, Slot::Cursor, &format!("{base}/cursor"), output, &End::Cursor(name.to_owned()));
        let event = Shade::default();
        self.slot(name, Slot::DeduplicateBy, &format!("{base}/deduplicateBy"), &event, &End::Remembered(name.to_owned()));
    }

    fn answers(&mut self, name: &str) {
        let base = format!("/triggers/{}/on/webhook", escape(name));
        let slots = [
            (Slot::AnswerHeaders, "respond/headers"),
            (Slot::AnswerBody, "respond/body"),
            (Slot::ChallengeHeaders, "challenge/respond/headers"),
            (Slot::ChallengeBody, "challenge/respond/body"),
        ];
        let input = self.subscription(name);
        for (slot, key) in slots {
            self.slot(name, slot, &format!("{base}/{key}"), &input, &End::Answer(name.to_owned()));
        }
    }

    fn slot(&mut self, name: &str, slot: Slot, pointer: &str, input: &Shade, end: &End) {
        let Some(template) = self.program.trigger(name).and_then(|trigger| trigger.template(slot)) else { return };
        let nothing = BTreeSet::new();
        let scene = Scene { variables: &|_| Shade::default(), authorization: &nothing };
        let value = self.template(template, pointer, input, scene);
        self.reached(&value.all(), end);
    }

    /// Notes where secrets end up.
    fn reached(&mut self, origins: &Origins, end: &End) {
        for number in origins {
            let (secret, pointer) = self.origins[*number as usize].clone();
            self.found.insert(Leak { pointer: pointer.into(), secret: secret.into(), end: end.clone() });
        }
    }

    fn number(&mut self, secret: &str, pointer: &str) -> u32 {
        let origin = (Box::from(secret), Box::from(pointer));
        let next = u32::try_from(self.origins.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(origin.clone()).or_insert(next);
        if number == next {
            self.origins.push(origin);
        }
        number
    }
}

/// Where one of a trigger's secrets stands in its webhook; nearly, where several keys can hold it.
fn place(slot: Slot) -> &'static str {
    match slot {
        Slot::Secret => "verify/hmac/secret",
        Slot::Password => "verify/basic/password",
        Slot::SigningSecret => "challenge/sign/secret",
        Slot::Payload
        | Slot::Username
        | Slot::Token
        | Slot::TokenFrom
        | Slot::ChallengeWhen
        | Slot::SigningPayload
        | Slot::ChallengeHeaders
        | Slot::ChallengeBody
        | Slot::AnswerHeaders
        | Slot::AnswerBody
        | Slot::Cursor
        | Slot::DeduplicateBy => "verify",
    }
}

#[cfg(test)]
mod tests;
