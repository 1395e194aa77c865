//! The connection that the flows share: base address, authentication, hosts.

use std::sync::Arc;

use serde_json::Value;

use super::Parser;
use crate::flow::finding::At;
use crate::flow::model::{Authentication, ConnectionModel};
use crate::manifest::{self, Connection, ErrorMappings};

impl Parser<'_> {
    /// The manifest's connection, at `/connection`.
    pub(crate) fn connection(&mut self, connection: &Connection) -> ConnectionModel {
        let at = At::base("/connection");
        let base = connection.base_url.as_ref().map(|base| self.template(&Value::String(base.clone()), &at.key("baseUrl")));
        let authentication = connection.authentication.as_ref().and_then(|given| self.declared_authentication(given, &at));
        let again = connection.retry.as_ref().and_then(|value| self.again(value, &at.key("retry"))).map(Arc::new);
        let rate = connection.rate_limit.as_ref().and_then(|value| self.rate(value, &at.key("rateLimit"))).map(Arc::new);
        let errors = connection.errors.as_ref().map(|ErrorMappings(value)| self.mappings(value, &at.key("errors"))).unwrap_or_default();
        ConnectionModel { base, authentication, again, rate, errors, hosts: Some(connection.hosts.clone()) }
    }

    /// The manifest writes schemes as the DSL does, so they are parsed as such.
    fn declared_authentication(&mut self, given: &manifest::Authentication, at: &At<'_>) -> Option<Arc<Authentication>> {
        let written = serde_json::to_value(given).unwrap_or_default();
        self.scheme(written.as_object()?, &at.key("authentication")).map(Arc::new)
    }
}
