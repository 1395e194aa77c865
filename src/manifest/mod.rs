//! The desired state: the files of a team's repository as types.

mod config;
mod connector;
mod order;
mod suite;

pub use config::{Config, DeletionPolicy, Environment, ReviewPolicy, ReviewProvider};
pub use connector::{
    API_VERSION, Action, ApiKey, Authentication, Basic, Bearer, Connection, ConnectionValue, ConnectionValues, DeclaredError, DocLinks,
    Manifest, Property, PropertyType, Schedule, Schema, Start, Tasks, TestConnection, Trigger, Visibility, Webhook,
};
pub use order::Ordered;
pub use suite::{Case, Exchange, Expectation, ExpectedError, ExpectedEvent, ExpectedRequest, MockedResponse, Suite, WebhookRequest};
