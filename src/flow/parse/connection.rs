//! The connection that the flows share: base address, authentication, hosts.

use serde_json::Value;

use super::Parser;
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Authentication, ConnectionModel};
use crate::manifest::{self, Connection};

impl Parser<'_> {
    /// The manifest's connection, at `/connection`.
    pub(crate) fn connection(&mut self, connection: &Connection) -> ConnectionModel {
        let at = At::base("/connection");
        let base = connection.base_url.as_ref().map(|base| self.template(&Value::String(base.clone()), &at.key("baseUrl")));
        let authentication = connection.authentication.as_ref().and_then(|given| self.authentication(given, &at.key("authentication")));
        ConnectionModel { base, authentication, hosts: Some(connection.hosts.clone()) }
    }

    fn authentication(&mut self, given: &manifest::Authentication, at: &At<'_>) -> Option<Authentication> {
        if let Some(basic) = &given.basic {
            let at = at.key("basic");
            let username = self.template(&Value::String(basic.username.clone()), &at.key("username"));
            let password = self.template(&Value::String(basic.password.clone()), &at.key("password"));
            return Some(Authentication::Basic { username, password });
        }
        if let Some(bearer) = &given.bearer {
            return Some(Authentication::Bearer(self.template(&Value::String(bearer.token.clone()), &at.key("bearer").key("token"))));
        }
        let key = given.api_key.as_ref()?;
        let value = self.template(&Value::String(key.value.clone()), &at.key("apiKey").key("value"));
        match (&key.header, &key.query) {
            (Some(name), _) => Some(Authentication::KeyInHeader { name: name.clone(), value }),
            (None, Some(name)) => Some(Authentication::KeyInQuery { name: name.clone(), value }),
            (None, None) => None,
        }
    }

    /// Authentication as the DSL writes it under an endpoint.
    pub(super) fn dsl_authentication(&mut self, value: &Value, at: &At<'_>) -> Option<Authentication> {
        let map = self.map(value, at, "`authentication`")?;
        self.keys(map, at, "`authentication`", &["basic", "bearer"], &["use", "digest", "oauth2", "oidc"]);
        if let Some(basic) = map.get("basic") {
            let at = at.key("basic");
            let basic = self.map(basic, &at, "`basic`")?;
            self.keys(basic, &at, "`basic`", &["username", "password"], &["use"]);
            let username = self
                .required(basic, "username", &at, "`basic`")
                .map(|value| self.text_or_expression(value, &at.key("username"), "`username`"));
            let password = self
                .required(basic, "password", &at, "`basic`")
                .map(|value| self.text_or_expression(value, &at.key("password"), "`password`"));
            return Some(Authentication::Basic { username: username?, password: password? });
        }
        let Some(bearer) = map.get("bearer") else {
            if map.is_empty() {
                self.found(Finding::new(at, codes::MISSING_KEY, "`authentication` needs `basic` or `bearer`"));
            }
            return None;
        };
        let at = at.key("bearer");
        let bearer = self.map(bearer, &at, "`bearer`")?;
        self.keys(bearer, &at, "`bearer`", &["token"], &["use"]);
        let token = self.required(bearer, "token", &at, "`bearer`")?;
        Some(Authentication::Bearer(self.text_or_expression(token, &at.key("token"), "`token`")))
    }
}
