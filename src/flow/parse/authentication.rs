//! How requests prove who they are, as the DSL writes it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Declared, Parser, kind_of};
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Authentication, DISCOVERY, OAuth2Model, TokenModel};
use crate::flow::session::{ClientAuthentication, Grant};
use crate::flow::template::Template;

const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "oauth2", "oidc"];
/// Where a token is asked for, where nothing else is said.
const TOKEN_PATH: &str = "/oauth2/token";

impl Parser<'_> {
    /// `authentication`: a scheme, `use` with the name of one under `use.authentications`, or that name alone.
    pub(super) fn authentication(&mut self, value: &Value, at: &At<'_>) -> Option<Arc<Authentication>> {
        if let Value::String(name) = value {
            return self.named_authentication(name, at);
        }
        let map = self.map(value, at, "`authentication`")?;
        if let Some(name) = map.get("use") {
            self.keys(map, at, "`authentication`", &["use"]);
            let name = self.text(name, &at.key("use"), "`use`")?;
            return self.named_authentication(name, &at.key("use"));
        }
        self.scheme(map, at).map(Arc::new)
    }

    fn named_authentication(&mut self, name: &str, at: &At<'_>) -> Option<Arc<Authentication>> {
        let declared = self.declared;
        let known = declared.authentications.get(name);
        if known.is_none() {
            let finding = Finding::new(at, codes::UNKNOWN_REUSABLE, format!("no authentication `{name}` under `use.authentications`"));
            self.found(finding.did_you_mean(name, declared.authentications.keys().map(String::as_str)));
        }
        known.cloned()
    }

    /// One scheme, in a map with its name.
    pub(super) fn scheme(&mut self, map: &Map<String, Value>, at: &At<'_>) -> Option<Authentication> {
        let mut known = SCHEMES.to_vec();
        if self.declared.properties.is_some() {
            known.push("apiKey");
        }
        self.keys(map, at, "`authentication`", &known);
        let given: Vec<_> = known.iter().filter(|scheme| map.contains_key(**scheme)).collect();
        let [scheme] = given.as_slice() else {
            let names = known.iter().map(|scheme| format!("`{scheme}`")).collect::<Vec<_>>().join(", ");
            self.found(Finding::new(at, codes::MISSING_KEY, format!("`authentication` needs exactly one of {names}")));
            return None;
        };
        let (value, at) = (&map[**scheme], at.key(scheme));
        match **scheme {
            "basic" => self.user(value, &at, "`basic`").map(|(username, password)| Authentication::Basic { username, password }),
            "digest" => self.user(value, &at, "`digest`").map(|(username, password)| Authentication::Digest { username, password }),
            "bearer" => self.bearer(value, &at),
            "apiKey" => self.key(value, &at),
            scheme => self.oauth2(value, &at, scheme == "oidc"),
        }
    }

    fn user(&mut self, value: &Value, at: &At<'_>, what: &str) -> Option<(Template, Template)> {
        let map = self.map(value, at, what)?;
        if let Some([username, password]) = self.members_of_secret(map, at, what, ["username", "password"]) {
            return Some((username, password));
        }
        self.keys(map, at, what, &["username", "password", "use"]);
        let username = self.required(map, "username", at, what).map(|value| self.credential(value, &at.key("username"), "`username`"));
        let password = self.required(map, "password", at, what).map(|value| self.credential(value, &at.key("password"), "`password`"));
        Some((username?, password?))
    }

    fn bearer(&mut self, value: &Value, at: &At<'_>) -> Option<Authentication> {
        // The specification's prose has the token itself here, its reference and schema a map.
        if value.is_string() {
            return Some(Authentication::Bearer(self.credential(value, at, "`bearer`")));
        }
        let map = self.map(value, at, "`bearer`")?;
        if let Some([token]) = self.members_of_secret(map, at, "`bearer`", ["token"]) {
            return Some(Authentication::Bearer(token));
        }
        self.keys(map, at, "`bearer`", &["token", "use"]);
        let token = self.required(map, "token", at, "`bearer`")?;
        Some(Authentication::Bearer(self.credential(token, &at.key("token"), "`token`")))
    }

    fn key(&mut self, value: &Value, at: &At<'_>) -> Option<Authentication> {
        let map = self.map(value, at, "`apiKey`")?;
        let of_openapi = |key: &str| match key {
            "in" | "name" => Some("Write `apiKey: { query: NAME, value: … }`, or `header: NAME`.".to_owned()),
            _ => None,
        };
        self.keys_beside(map, at, "`apiKey`", &["header", "query", "value"], of_openapi);
        let key = self.required(map, "value", at, "`apiKey`").map(|value| self.credential(value, &at.key("value"), "`value`"))?;
        match (map.get("header").and_then(Value::as_str), map.get("query").and_then(Value::as_str)) {
            (Some(name), None) => Some(Authentication::KeyInHeader { name: name.to_owned(), value: key }),
            (None, Some(name)) => Some(Authentication::KeyInQuery { name: name.to_owned(), value: key }),
            (None, None) | (Some(_), Some(_)) => {
                self.found(Finding::new(at, codes::MISSING_KEY, "`apiKey` needs `header` or `query`, the name it goes under"));
                None
            }
        }
    }

    /// Numbers are what people write for passwords, and mean their text.
    fn credential(&mut self, value: &Value, at: &At<'_>, what: &str) -> Template {
        match value {
            Value::Number(number) => Template::literal(&json!(number.to_string())),
            other => self.text_or_expression(other, at, what),
        }
    }

    /// `use: NAME` within a scheme: its members stand in a secret of the document.
    fn members_of_secret<const N: usize>(
        &mut self,
        map: &Map<String, Value>,
        at: &At<'_>,
        what: &str,
        members: [&str; N],
    ) -> Option<[Template; N]> {
        let name = self.secret(map, at, what)?;
        let at = at.key("use");
        Some(members.map(|member| self.template(&json!(format!("${{ $secrets[{}].{member} }}", json!(name))), &at)))
    }

    fn secret<'v>(&mut self, map: &'v Map<String, Value>, at: &At<'_>, what: &str) -> Option<&'v str> {
        let name = map.get("use")?;
        self.keys(map, at, what, &["use"]);
        let at = at.key("use");
        let name = self.text(name, &at, "`use`")?;
        let declared = self.declared;
        if !declared.secrets.iter().any(|secret| secret == name) {
            let finding = Finding::new(&at, codes::UNKNOWN_REUSABLE, format!("no secret `{name}` under `use.secrets`"));
            self.found(finding.did_you_mean(name, declared.secrets.iter().map(String::as_str)));
        }
        Some(name)
    }

    /// OAuth2 as a secret describes it; nothing where it does not.
    pub(crate) fn oauth2_of(value: &Value, oidc: bool) -> Option<OAuth2Model> {
        let declared = Declared { literal: true, ..Declared::default() };
        let mut parser = Parser::new(&declared);
        let parsed = parser.oauth2(value, &At::base(""), oidc)?;
        match parsed {
            Authentication::OAuth2(model) if parser.findings.is_empty() => Some(*model),
            _ => None,
        }
    }

    fn oauth2(&mut self, value: &Value, at: &At<'_>, oidc: bool) -> Option<Authentication> {
        let what = if oidc { "`oidc`" } else { "`oauth2`" };
        let map = self.map(value, at, what)?;
        let mut known = vec![
            "authority",
            "grant",
            "client",
            "request",
            "issuers",
            "scopes",
            "audiences",
            "username",
            "password",
            "refreshToken",
            "subject",
            "actor",
        ];
        if !oidc {
            known.push("endpoints");
        }
        if map.contains_key("use") {
            let secret = self.secret(map, at, what)?.to_owned();
            return Some(Authentication::OAuth2InSecret { secret, oidc });
        }
        self.keys(map, at, what, &known);
        let authority =
            self.required(map, "authority", at, what).and_then(|value| self.address(value, &at.key("authority"), "`authority`"));
        let grant = self.required(map, "grant", at, what).and_then(|value| self.grant(value, &at.key("grant")));
        let client = map.get("client").map_or(&Value::Null, |client| client);
        let client = if client.is_null() { None } else { self.map(client, &at.key("client"), "`client`") };
        let nothing = Map::new();
        let client = client.unwrap_or(&nothing);
        let client_at = at.key("client");
        self.keys(client, &client_at, "`client`", &["id", "secret", "assertion", "authentication"]);
        let client_authentication = client.get("authentication").map_or(Some(ClientAuthentication::ClientSecretPost), |value| {
            self.client_authentication(value, &client_at.key("authentication"))
        });
        let json = map.get("request").map_or(Some(false), |value| self.token_encoding(value, &at.key("request")));
        let token_path = if oidc { None } else { self.token_path(map, at) };
        let (subject, actor) = (self.token(map, at, "subject"), self.token(map, at, "actor"));
        let mut text = |map: &Map<String, Value>, at: &At<'_>, key: &str| {
            map.get(key).map(|value| self.credential(value, &at.key(key), &format!("`{key}`")))
        };
        let [client_id, client_secret, client_assertion] = ["id", "secret", "assertion"].map(|key| text(client, &client_at, key));
        let [username, password, refresh_token] = ["username", "password", "refreshToken"].map(|key| text(map, at, key));
        let [scopes, audiences, issuers] = ["scopes", "audiences", "issuers"].map(|key| self.words(map, at, key));
        Some(Authentication::OAuth2(Box::new(OAuth2Model {
            authority: authority?,
            token_path,
            grant: grant?,
            client_id,
            client_secret,
            client_assertion,
            client_authentication: client_authentication?,
            json: json?,
            scopes,
            audiences,
            issuers,
            username,
            password,
            refresh_token,
            subject,
            actor,
        })))
    }

    fn grant(&mut self, value: &Value, at: &At<'_>) -> Option<Grant> {
        const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
        let text = self.text(value, at, "`grant`")?;
        match text {
            // The specification's prose has hyphens, its reference underscores.
            "client_credentials" | "client-credentials" => Some(Grant::ClientCredentials),
            "password" => Some(Grant::Password),
            "refresh_token" | "refresh-token" => Some(Grant::RefreshToken),
            EXCHANGE => Some(Grant::TokenExchange),
            "authorization_code" => {
                let message = "`authorization_code` is not supported: nobody is there to agree";
                self.found(Finding::new(at, codes::NEVER, message).hint("Use `refresh_token` with a token somebody has agreed to."));
                None
            }
            other => {
                self.one_of(other, at, "`grant`", &["client_credentials", "password", "refresh_token", EXCHANGE]);
                None
            }
        }
    }

    fn client_authentication(&mut self, value: &Value, at: &At<'_>) -> Option<ClientAuthentication> {
        let text = self.text(value, at, "`authentication`")?;
        let known = [
            ("client_secret_basic", ClientAuthentication::ClientSecretBasic),
            ("client_secret_post", ClientAuthentication::ClientSecretPost),
            ("client_secret_jwt", ClientAuthentication::ClientSecretJwt),
            ("private_key_jwt", ClientAuthentication::PrivateKeyJwt),
            ("none", ClientAuthentication::None),
        ];
        self.one_of(text, at, "`authentication`", &known.map(|(name, _)| name));
        known.into_iter().find(|(name, _)| *name == text).map(|(_, way)| way)
    }

    fn token_encoding(&mut self, value: &Value, at: &At<'_>) -> Option<bool> {
        let map = self.map(value, at, "`request`")?;
        self.keys(map, at, "`request`", &["encoding"]);
        let Some(encoding) = map.get("encoding") else { return Some(false) };
        let at = at.key("encoding");
        let text = self.text(encoding, &at, "`encoding`")?;
        let known = ["application/x-www-form-urlencoded", "application/json"];
        self.one_of(text, &at, "`encoding`", &known).then_some(text == "application/json")
    }

    /// Where tokens are asked for below the authority; nothing where the authority is a discovery document.
    fn token_path(&mut self, map: &Map<String, Value>, at: &At<'_>) -> Option<String> {
        let discovers = map.get("authority").and_then(Value::as_str).is_some_and(|authority| authority.ends_with(DISCOVERY));
        let usual = (!discovers).then(|| TOKEN_PATH.to_owned());
        let Some(endpoints) = map.get("endpoints") else { return usual };
        let at = at.key("endpoints");
        let Some(endpoints) = self.map(endpoints, &at, "`endpoints`") else { return usual };
        self.keys(endpoints, &at, "`endpoints`", &["token", "revocation", "introspection"]);
        let Some(token) = endpoints.get("token") else { return usual };
        self.text(token, &at.key("token"), "`token`").map(str::to_owned)
    }

    fn token(&mut self, map: &Map<String, Value>, at: &At<'_>, key: &str) -> Option<TokenModel> {
        let at = at.key(key);
        let what = format!("`{key}`");
        let map = self.map(map.get(key)?, &at, &what)?;
        self.keys(map, &at, &what, &["token", "type"]);
        let token = self.required(map, "token", &at, &what).map(|value| self.credential(value, &at.key("token"), "`token`"));
        let kind = self.required(map, "type", &at, &what).map(|value| self.text_or_expression(value, &at.key("type"), "`type`"));
        Some(TokenModel { token: token?, kind: kind? })
    }

    fn words(&mut self, map: &Map<String, Value>, at: &At<'_>, key: &str) -> Option<Template> {
        let value = map.get(key)?;
        let at = at.key(key);
        match value {
            Value::Array(_) | Value::String(_) => Some(self.template(value, &at)),
            other => {
                self.found(Finding::new(&at, codes::VALUE, format!("`{key}` is a list of texts, not {}", kind_of(other))));
                None
            }
        }
    }
}
