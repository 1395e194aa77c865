//! What a trigger hands out and tells: events on the standard output, a line of JSON each, everything else on the standard error stream.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::output::{Format, Shell};
use crate::cli::render::columns::{escaped, harmless};
use crate::cli::trace::Tracer;
use crate::flow::{Session, Target, Told};
use crate::harness::live::Veil;
use crate::harness::live::trigger::{Follow, News, Report};

/// Writes what a trigger hands out and tells.
pub(super) struct Writer {
    pub(super) shell: Shell,
    /// The connector, for the titles of traces.
    pub(super) connector: String,
    /// What traces must not show; nothing where none are wanted.
    pub(super) traced: Option<Traced>,
}

/// What the veil of each trace is made of.
pub(super) struct Traced {
    pub(super) secrets: Vec<Value>,
    pub(super) session: Arc<Session>,
}

/// One run's trace.
struct Trace {
    tracer: Tracer,
    title: String,
}

impl Report for Writer {
    fn deliver(&self, events: &[Value]) -> Result<()> {
        events.iter().try_for_each(|event| self.shell.line(event))
    }

    fn tell(&self, news: News) {
        match (self.shell.format, news) {
            (Format::Human | Format::Json, News::Failed(fault)) => self.shell.note(escaped(&fault)),
            (Format::Human, News::Warning(text)) => self.shell.warn(text),
            (Format::Json, News::Warning(text)) => self.shell.note(escaped(&json!({ "warning": text }))),
            (Format::Human | Format::Json, news) => say(self.shell, &sentence(&news)),
        }
    }

    fn follow(&self, flow: &Target) -> Option<Box<dyn Follow>> {
        let traced = self.traced.as_ref()?;
        let tracer = Tracer::new(self.shell, Veil::new(&traced.secrets, Arc::clone(&traced.session)));
        Some(Box::new(Trace { tracer, title: format!("{} {flow}", self.connector) }))
    }
}

impl Follow for Trace {
    fn hear(&mut self, told: &Told) {
        self.tracer.hear(told);
    }

    fn end(self: Box<Self>) {
        self.tracer.end(&self.title);
    }
}

/// Tells what happened beside the events.
pub(super) fn say(shell: Shell, sentence: &str) {
    match shell.format {
        Format::Human => shell.note(harmless(sentence)),
        Format::Json => shell.note(escaped(&json!({ "note": sentence }))),
    }
}

fn sentence(news: &News) -> String {
    match news {
        News::Refused(why) => format!("Refused a request: {why}."),
        News::Answered => "Answered a handshake.".to_owned(),
        News::Skipped(moment) => format!("Left out the poll of {moment}: the one before has not ended."),
        News::Waiting(moment) => format!("The next poll is due at {moment}."),
        News::Subscribed(callback_url) => format!("Subscribed: the service sends its requests to {callback_url}."),
        News::Unsubscribed => "Unsubscribed.".to_owned(),
        News::Failed(fault) => format!("A flow failed: {fault}."),
        News::Warning(text) => format!("Something does not fit: {text}."),
    }
}
