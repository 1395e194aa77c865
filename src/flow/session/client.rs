//! How a client proves to an authority who it is: its secret, RFC 6749 section 2.3, or a signed assertion, RFC 7523.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use url::{Url, form_urlencoded};

use super::credentials::{ClientAuthentication, OAuth2};
use super::nonce;
use crate::flow::world::{Transport, Unanswered};

/// How long an assertion signed here is good for, in seconds.
const ASSERTION_LIFE: i64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What is added to a token request.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) authorization: Option<String>,
    pub(super) fields: Vec<(&'static str, String)>,
}

/// The proof for an authority whose tokens are asked for at this address.
pub(super) fn prove(transport: &dyn Transport, url: &Url, oauth2: &OAuth2) -> Result<Proof, Unanswered> {
    let id = || needed(oauth2.client_id.as_deref(), "an id");
    let secret = || needed(oauth2.client_secret.as_deref(), "a secret");
    let mut proof = Proof::default();
    match oauth2.client_authentication {
        ClientAuthentication::ClientSecretBasic => {
            let pair = format!("{}:{}", form_encode(id()?), form_encode(secret()?));
            proof.authorization = Some(format!("Basic {}", STANDARD.encode(pair)));
            return Ok(proof);
        }
        // It is what holds where nothing is said, also for clients that have nothing to say.
        ClientAuthentication::ClientSecretPost => proof.fields.extend(oauth2.client_secret.clone().map(|secret| ("client_secret", secret))),
        ClientAuthentication::ClientSecretJwt => {
            let now = transport.now().as_second();
            let id = id()?;
            let claims =
                json!({"iss": id, "sub": id, "aud": url.as_str(), "jti": nonce(transport), "iat": now, "exp": now + ASSERTION_LIFE});
            proof.assert(sign(&claims, secret()?)?);
        }
        ClientAuthentication::PrivateKeyJwt => {
            proof.assert(needed(oauth2.client_assertion.as_deref(), "an assertion")?.to_owned());
        }
        ClientAuthentication::None => {}
    }
    proof.fields.extend(oauth2.client_id.clone().map(|id| ("client_id", id)));
    Ok(proof)
}

impl Proof {
    fn assert(&mut self, assertion: String) {
        self.fields.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
        self.fields.push(("client_assertion", assertion));
    }
}

fn needed<'v>(value: Option<&'v str>, what: &str) -> Result<&'v str, Unanswered> {
    value.ok_or_else(|| Unanswered::configuration(format!("the way the oauth2 client proves who it is needs {what}, and there is none")))
}

/// A JSON Web Token signed with HMAC-SHA-256, RFC 7515.
fn sign(claims: &Value, secret: &str) -> Result<String, Unanswered> {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|_| Unanswered::configuration("the oauth2 client's secret is no key to sign with"))?;
    mac.update(signed.as_bytes());
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

fn form_encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
