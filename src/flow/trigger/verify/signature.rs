//! Signatures: HMACs of RFC 2104, made and compared.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};

use super::{Refusal, right, secret, text};
use crate::flow::content::BASE64;
use crate::flow::trigger::incoming::Incoming;
use crate::flow::trigger::model::{self, Slot, Stamp};
use crate::flow::trigger::receive::Setting;
use crate::manifest::{Algorithm, Encoding, KeyEncoding};

/// How many signatures of one request are tried: services send two while they change their key.
const MOST_SIGNATURES: usize = 8;

/// Verifies a signed request.
pub(super) fn verify(hmac: &model::Hmac, incoming: &Incoming, setting: &Setting<'_>) -> Result<(), Refusal> {
    let key = key(hmac.key, secret(Slot::Secret, setting)?)?;
    let header = incoming.header(&hmac.header).ok_or_else(|| Refusal::Missing(format!("header {}", hmac.header)))?;
    let stamp = hmac.stamp.as_ref().map(|stamp| stamp_of(stamp, incoming)).transpose()?;
    let given = candidates(hmac, &header);
    if given.is_empty() {
        return Err(Refusal::Malformed(format!("header {}", hmac.header)));
    }
    let right_one = if hmac.has_payload {
        signed_with(hmac.algorithm, &key, payload(stamp.as_deref(), incoming, setting)?.as_bytes())
    } else {
        signed_with(hmac.algorithm, &key, &incoming.body)
    };
    let same = given.iter().fold(Choice::from(0), |same, given| same | given.as_slice().ct_eq(&right_one));
    right(same, "the signature")?;
    // Only a request that was signed tells the truth about when that was.
    match (&hmac.stamp, stamp) {
        (Some(rule), Some(text)) => fresh(rule, &text, setting.now),
        (None | Some(_), None | Some(_)) => Ok(()),
    }
}

/// Signs a request as its service would, at this moment.
pub(in crate::flow::trigger) fn sign(hmac: &model::Hmac, incoming: &mut Incoming, setting: &Setting<'_>) -> Result<(), Refusal> {
    let key = key(hmac.key, secret(Slot::Secret, setting)?)?;
    let stamp = hmac.stamp.as_ref().map(|_| setting.now.as_second().to_string());
    let mut beside = Vec::new();
    if let (Some(rule), Some(stamp)) = (&hmac.stamp, &stamp) {
        match &rule.part {
            None => incoming.headers.push((rule.header.clone(), stamp.clone())),
            Some(part) if rule.header.eq_ignore_ascii_case(&hmac.header) => beside.push(format!("{part}={stamp}")),
            Some(part) => incoming.headers.push((rule.header.clone(), format!("{part}={stamp}"))),
        }
    }
    let signed = if hmac.has_payload {
        signed_with(hmac.algorithm, &key, payload(stamp.as_deref(), incoming, setting)?.as_bytes())
    } else {
        signed_with(hmac.algorithm, &key, &incoming.body)
    };
    let signature = format!("{}{}", hmac.prefix, encoded(hmac.encoding, &signed));
    beside.push(hmac.part.as_ref().map_or(signature.clone(), |part| format!("{part}={signature}")));
    incoming.headers.push((hmac.header.clone(), beside.join(",")));
    Ok(())
}

/// The HMAC of a message.
pub(in crate::flow::trigger) fn signed_with(algorithm: Algorithm, key: &[u8], message: &[u8]) -> Vec<u8> {
    fn of<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
        // Any length is a key.
        M::new_from_slice(key).map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()).unwrap_or_default()
    }
    match algorithm {
        Algorithm::Sha1 => of::<Hmac<Sha1>>(key, message),
        Algorithm::Sha256 => of::<Hmac<Sha256>>(key, message),
        Algorithm::Sha512 => of::<Hmac<Sha512>>(key, message),
    }
}

/// A signature as text.
pub(in crate::flow::trigger) fn encoded(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Hex => hex::encode(bytes),
        Encoding::Base64 => STANDARD.encode(bytes),
    }
}

fn key(encoding: KeyEncoding, text: String) -> Result<Vec<u8>, Refusal> {
    let key = match encoding {
        KeyEncoding::Text => Some(text.into_bytes()),
        KeyEncoding::Hex => hex::decode(text.trim()).ok(),
        KeyEncoding::Base64 => BASE64.decode(text.trim()).ok(),
    };
    key.filter(|key| !key.is_empty()).ok_or(Refusal::NoSecret(Slot::Secret.key()))
}

/// The signatures in a header that are written as the trigger says.
fn candidates(hmac: &model::Hmac, header: &str) -> Vec<Vec<u8>> {
    let texts: Vec<&str> = match &hmac.part {
        Some(part) => parts(header, part).collect(),
        None => header.split_whitespace().map(|text| text.trim_end_matches(',')).collect(),
    };
    let signatures = texts.into_iter().filter_map(|text| text.strip_prefix(hmac.prefix.as_str()));
    let decoded = signatures.filter_map(|text| match hmac.encoding {
        Encoding::Hex => hex::decode(text).ok(),
        Encoding::Base64 => BASE64.decode(text).ok(),
    });
    decoded.take(MOST_SIGNATURES).collect()
}

/// The values of one name in a list such as `t=1700000000,v1=5257a8…`.
fn parts<'h>(header: &'h str, name: &str) -> impl Iterator<Item = &'h str> {
    header.split([',', ';']).filter_map(move |part| {
        let (known, value) = part.split_once('=')?;
        (known.trim() == name).then(|| value.trim())
    })
}

fn stamp_of(stamp: &Stamp, incoming: &Incoming) -> Result<String, Refusal> {
    let missing = || Refusal::Missing(format!("header {}", stamp.header));
    let header = incoming.header(&stamp.header).ok_or_else(missing)?;
    match &stamp.part {
        None => Ok(header.trim().to_owned()),
        Some(part) => parts(&header, part).next().map(str::to_owned).ok_or_else(|| Refusal::Malformed(format!("header {}", stamp.header))),
    }
}

/// What was signed.
fn payload(stamp: Option<&str>, incoming: &Incoming, setting: &Setting<'_>) -> Result<String, Refusal> {
    // Bytes that are no text would be replaced, and another body would have the same signature.
    let body = std::str::from_utf8(&incoming.body).map_err(|_| Refusal::Malformed("the body".to_owned()))?;
    let mut signed = incoming.signed(body);
    signed.insert("timestamp".to_owned(), stamp.map_or(Value::Null, Value::from));
    signed.insert("subscription".to_owned(), setting.subscription.clone());
    text(Slot::Payload, &Value::Object(signed), setting).map_err(|_| Refusal::Expression(Slot::Payload.key()))
}

fn fresh(stamp: &Stamp, text: &str, now: Timestamp) -> Result<(), Refusal> {
    let at = moment(text).ok_or_else(|| Refusal::Malformed(format!("header {}", stamp.header)))?;
    let away = now.duration_since(at).abs();
    if away <= stamp.tolerance {
        return Ok(());
    }
    Err(Refusal::Stale { seconds: away.as_secs().unsigned_abs(), tolerance: stamp.tolerance.as_secs().unsigned_abs() })
}

/// Seconds or milliseconds since 1970, or RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    /// As seconds it is the year 5138, as milliseconds 1973.
    const MILLISECONDS: i64 = 100_000_000_000;
    match text.parse::<i64>() {
        Ok(number) if number.abs() >= MILLISECONDS => Timestamp::from_millisecond(number).ok(),
        Ok(number) => Timestamp::from_second(number).ok(),
        Err(_) => text.parse().ok(),
    }
}
