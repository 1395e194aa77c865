//! What a connector listens to: webhooks and schedules, and what is kept between the runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::de::whole_if_given;
use super::{Schema, Tasks, Webhook, form};

/// Something the connector listens to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger {
    /// What people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The heading it is listed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What starts its flow.
    pub on: Start,
    /// The trigger's own parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Schema>,
    /// The data of the events it emits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Schema>,
    /// Which declared errors it can raise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = form::KEBAB)))]
    pub errors: Vec<String>,
    /// For a schedule: an expression over the flow's output. Its value is `.cursor` of the next poll, null at first;
    /// where it is null, the cursor stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// An expression over an event's data: events with a value seen before are dropped. Events where it is null are all passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deduplicate_by: Option<String>,
    /// How many values of `deduplicateBy` are remembered, the newest ones: 10000 where nothing is given.
    #[serde(default, deserialize_with = "whole_if_given", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub deduplicate_within: Option<u32>,
    /// Its flow.
    #[serde(rename = "do", default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Tasks>,
}

/// What starts a trigger's flow: a webhook or a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Start {
    /// A request from the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// The passing of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// When a polled trigger runs: every so often, or by a cron line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["every"]}, {"required": ["cron"]}]))]
pub struct Schedule {
    /// An ISO 8601 duration of a second or more, such as `PT5M`, counted from the first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::DURATION))]
    pub every: Option<String>,
    /// Five fields: minute, hour, day of month, month, day of week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The time zone of the cron line by its IANA name, such as `Europe/Berlin`: UTC where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What happens when it is time for a run and the one before has not ended.
    #[serde(default)]
    pub overlap: Overlap,
}

/// What happens when it is time for a run and the one before has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// The run is left out.
    #[default]
    Skip,
    /// It begins as soon as the one before has ended; of several that wait, the last.
    Queue,
    /// Both run at once.
    Allow,
}
