//! Bodies: what a flow gives becomes what a request carries, and what a response carries becomes what a flow gets.
//!
//! All of it is pure, and bounded in what it makes, whatever bytes a service sends.

mod csv;
mod decode;
mod encode;
mod form;
mod multipart;
mod text;
mod xml;

#[cfg(test)]
mod hostile;

use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::parse::kind_of;
use crate::manifest::is_obeyed;

pub(crate) use self::csv::CsvOptions;
pub(crate) use self::decode::{ResponseForm, decode, excerpt};
pub(crate) use self::encode::{BodyForm, encode};
pub(crate) use self::text::essence;
pub(crate) use self::xml::XmlOptions;

/// Base64 with padding or without.
pub(crate) const BASE64: GeneralPurpose = base64_of(&alphabet::STANDARD);
/// The same in the alphabet for addresses and names of files.
const BASE64_FOR_ADDRESSES: GeneralPurpose = base64_of(&alphabet::URL_SAFE);

const fn base64_of(alphabet: &Alphabet) -> GeneralPurpose {
    GeneralPurpose::new(alphabet, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent))
}

/// Base64 in either alphabet, with or without padding and line breaks; nothing where it is not base64.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let is_for_addresses = compact.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let base64 = if is_for_addresses { BASE64_FOR_ADDRESSES } else { BASE64 };
    base64.decode(compact).ok()
}

/// A scalar as the text in which it travels; nothing for null, maps and lists.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
/// Text that somebody else chose, short enough for a message and with nothing in it that a terminal would obey.
fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).map(|char| if is_obeyed(char) { ' ' } else { char }).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_services_write_it() {
        for text in ["+/8B", "-_8B", " +/\r\n8B\n"] {
            assert_eq!(from_base64(text), Some(vec![0xfb, 0xff, 1]), "{text}");
        }
        for text in ["YQ==", "YQ"] {
            assert_eq!(from_base64(text), Some(b"a".to_vec()), "{text}");
        }
        for text in ["no base64!", "Y", "+_", "YQ=Q", "ü"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
    }
}
