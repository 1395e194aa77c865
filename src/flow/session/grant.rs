//! How a token is asked of its authority: RFC 6749, token exchange (RFC 8693), OpenID Connect Discovery.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use url::Url;

use super::credentials::{Grant, OAuth2};
use super::{UNAUTHORIZED, client};
use crate::flow::exchange::{Body, Request};
use crate::flow::redact::Redactor;
use crate::flow::world::{Denial, Transport, Unanswered};
use crate::manifest::is_obeyed;

/// How much of a server's words a message repeats, in characters.
const LONGEST_MESSAGE: usize = 300;
/// The longest token that is kept, in bytes. Servers accept no headers of this size.
const LONGEST_TOKEN: usize = 64 * 1024;
const LONGEST_LIFE: f64 = 10.0 * 365.0 * 24.0 * 60.0 * 60.0;

/// Who gives tokens.
pub(super) struct Authority {
    /// Where they are asked for.
    url: Url,
}

/// What an authority gave.
pub(super) struct Granted {
    pub(super) token: String,
    pub(super) life: Option<Duration>,
    pub(super) refresh: Option<String>,
}

/// Why an authority gave nothing.
pub(super) struct Refusal {
    /// Whether it refused what was shown to it, so that showing the same again is in vain.
    pub(super) is_spent: bool,
    pub(super) why: Unanswered,
}

impl Authority {
    /// The authority these credentials are for; it is asked for its addresses where only a discovery document is known.
    pub(super) async fn find(transport: &dyn Transport, oauth2: &OAuth2) -> Result<Self, Unanswered> {
        let Some(discovery_url) = &oauth2.discovery_url else {
            return Ok(Self { url: address(&oauth2.token_url)? });
        };
        let url = address(discovery_url)?;
        let secrets = redactor(oauth2.secrets());
        let failed = |why: &str| Unanswered::authentication(message(&secrets, &url, why));
        let headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        let request = Request { method: "GET".to_owned(), url: url.clone(), headers, body: None };
        let response = transport.exchange(request).await.map_err(|why| unreached(&secrets, &url, why))?;
        if response.status != 200 {
            let why = failed(&format!("its discovery document was answered with {}", response.status));
            return Err(Unanswered { denial: Some(denial(&secrets, response.status, &Value::Null)), ..why });
        }
        let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let Some(token_url) = document["token_endpoint"].as_str().and_then(|url| address(url).ok()) else {
            return Err(failed("its discovery document has no `token_endpoint`"));
        };
        if url.scheme() == "https" && token_url.scheme() != "https" {
            return Err(failed("its discovery document leads to an address without TLS"));
        }
        accept_issuer(oauth2, &document["issuer"]).map_err(|why| failed(&why))?;
        Ok(Self { url: token_url })
    }

    /// Asks for a token: with a refresh token that came with an earlier one, or from scratch.
    pub(super) async fn grant(&self, transport: &dyn Transport, oauth2: &OAuth2, refresh: Option<&str>) -> Result<Granted, Refusal> {
        let mut fields = fields(oauth2, refresh);
        let proof = client::prove(transport, &self.url, oauth2).map_err(|why| Refusal { is_spent: false, why })?;
        let header = proof.authorization.as_deref().and_then(|header| header.strip_prefix("Basic "));
        let assertion = proof.fields.iter().filter(|(name, _)| *name == "client_assertion").map(|(_, value)| value.as_str());
        let secrets = redactor(oauth2.secrets().chain(refresh).chain(header).chain(assertion));
        fields.extend(proof.fields);
        let response = transport.exchange(self.request(fields, proof.authorization, oauth2.json)).await;
        let response = response.map_err(|why| Refusal { is_spent: false, why: unreached(&secrets, &self.url, why) })?;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        granted(oauth2, response.status, &answer).map_err(|why| Refusal {
            is_spent: !passes(response.status),
            why: Unanswered {
                denial: (!is_good(response.status) || answer["error"].is_string()).then(|| denial(&secrets, response.status, &answer)),
                ..Unanswered::authentication(message(&secrets, &self.url, &why))
            },
        })
    }

    fn request(&self, fields: Vec<(&str, String)>, authorization: Option<String>, json: bool) -> Request {
        let (media_type, body) = match json {
            false => {
                let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
                ("application/x-www-form-urlencoded", Body::Form(fields.collect()))
            }
            true => ("application/json", Body::Json(object(fields))),
        };
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned()), ("Content-Type".to_owned(), media_type.to_owned())];
        headers.extend(authorization.map(|authorization| ("Authorization".to_owned(), authorization)));
        Request { method: "POST".to_owned(), url: self.url.clone(), headers, body: Some(body) }
    }
}

/// An address that can be asked. It is not repeated where it is wrong: there may be a secret in it.
fn address(text: &str) -> Result<Url, Unanswered> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| Unanswered::configuration("the address that tokens are asked of is no absolute http or https address"))
}

fn fields(oauth2: &OAuth2, refresh: Option<&str>) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let mut add = |name, value: Option<&str>| fields.extend(value.map(|value| (name, value.to_owned())));
    if let Some(refresh) = refresh {
        add("grant_type", Some("refresh_token"));
        add("refresh_token", Some(refresh));
        // Without scopes it is for the same as before. The ones asked for then may be more than what was granted.
        if oauth2.grant != Grant::RefreshToken {
            return fields;
        }
    } else {
        match oauth2.grant {
            Grant::ClientCredentials => add("grant_type", Some("client_credentials")),
            Grant::Password => {
                add("grant_type", Some("password"));
                add("username", oauth2.username.as_deref());
                add("password", oauth2.password.as_deref());
            }
            Grant::RefreshToken => {
                add("grant_type", Some("refresh_token"));
                add("refresh_token", oauth2.refresh_token.as_deref());
            }
            Grant::TokenExchange => {
                add("grant_type", Some("urn:ietf:params:oauth:grant-type:token-exchange"));
                for (who, token, kind) in
                    [(&oauth2.subject, "subject_token", "subject_token_type"), (&oauth2.actor, "actor_token", "actor_token_type")]
                {
                    add(token, who.as_ref().map(|(token, _)| token.as_str()));
                    add(kind, who.as_ref().map(|(_, kind)| kind.as_str()));
                }
            }
        }
    }
    let scope = oauth2.scopes.join(" ");
    add("scope", Some(scope.as_str()).filter(|scope| !scope.is_empty()));
    for audience in &oauth2.audiences {
        add("audience", Some(audience));
    }
    fields
}

/// Fields as JSON; those that are there more than once become a list.
fn object(fields: Vec<(&str, String)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        match object.get_mut(name) {
            None => {
                object.insert(name.to_owned(), value.into());
            }
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
        }
    }
    Value::Object(object)
}

/// Reads the authority's answer, RFC 6749 sections 5.1 and 5.2; an error says what is wrong with it.
fn granted(oauth2: &OAuth2, status: u16, answer: &Value) -> Result<Granted, String> {
    let token = match &answer["access_token"] {
        Value::String(token) if is_good(status) => token.clone(),
        _ => match (answer["error"].as_str(), answer["error_description"].as_str()) {
            (Some(error), Some(description)) => return Err(format!("{error}: {description}")),
            (Some(error), None) => return Err(error.to_owned()),
            (None, _) if is_good(status) => return Err("its answer has no `access_token`".to_owned()),
            (None, _) => return Err(format!("it answered {status}")),
        },
    };
    if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("its token is none that a header can carry".to_owned());
    }
    match &answer["token_type"] {
        // Required, and often forgotten.
        Value::Null => {}
        Value::String(kind) if kind.eq_ignore_ascii_case("bearer") => {}
        kind => return Err(format!("its token is not a bearer token, but of type {kind}")),
    }
    if let Some(claims) = claims(&token) {
        accept_issuer(oauth2, &claims["iss"])?;
    }
    let life = match &answer["expires_in"] {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    let life = life.filter(|life: &f64| life.is_finite()).map(|life| Duration::from_secs_f64(life.clamp(0.0, LONGEST_LIFE)));
    Ok(Granted { token, life, refresh: answer["refresh_token"].as_str().map(str::to_owned) })
}

fn is_good(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Whether a status says that another time may be better, whatever was shown.
fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

fn denial(secrets: &Redactor, status: u16, answer: &Value) -> Box<Denial> {
    let told = |key: &str| answer[key].as_str().map(|text| harmless(secrets, text));
    let status = if passes(status) { status } else { UNAUTHORIZED };
    Box::new(Denial { status, error: told("error"), description: told("error_description") })
}

fn accept_issuer(oauth2: &OAuth2, issuer: &Value) -> Result<(), String> {
    match issuer.as_str() {
        _ if oauth2.issuers.is_empty() => Ok(()),
        Some(issuer) if oauth2.issuers.iter().any(|accepted| accepted == issuer) => Ok(()),
        Some(issuer) => Err(format!("its issuer `{issuer}` is not among those that are accepted")),
        None => Err("it names no issuer, and only certain ones are accepted".to_owned()),
    }
}

/// The claims of a JSON Web Token, unverified; nothing where a token is not one.
fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    claims.is_object().then_some(claims)
}

fn redactor<'s>(secrets: impl Iterator<Item = &'s str>) -> Redactor {
    let secrets: Vec<Value> = secrets.map(Value::from).collect();
    Redactor::new(&secrets)
}

fn unreached(secrets: &Redactor, url: &Url, why: Unanswered) -> Unanswered {
    Unanswered { reason: message(secrets, url, &why.reason), ..why }
}

fn message(secrets: &Redactor, url: &Url, why: &str) -> String {
    format!("no token from {}: {}", url.host_str().unwrap_or_default(), harmless(secrets, why))
}

/// What was said, without secrets, even where the server repeats them; on one line, and without what a terminal would obey.
fn harmless(secrets: &Redactor, said: &str) -> String {
    let said = secrets.text(said).split_whitespace().collect::<Vec<_>>().join(" ").replace(is_obeyed, "\u{fffd}");
    said.chars().take(LONGEST_MESSAGE).collect()
}
