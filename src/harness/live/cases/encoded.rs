//! Base64 and hexadecimal digits within texts: what is encoded in them, with whatever stands around it.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// What is shorter holds nothing that is looked for.
const SHORTEST: usize = 6;
/// How many beginnings within one run of digits are tried: a path, too, looks like one.
const MOST_BEGINNINGS: usize = 16;

/// Something that is encoded in a text.
pub(super) struct Encoded {
    /// Where.
    pub(super) range: Range<usize>,
    pub(super) bytes: Vec<u8>,
    is_url_safe: bool,
    is_padded: bool,
}

impl Encoded {
    /// Other bytes in the same spelling.
    pub(super) fn again(&self, bytes: &[u8]) -> String {
        engine(self.is_url_safe, self.is_padded).encode(bytes)
    }
}

fn engine(is_url_safe: bool, is_padded: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_encode_padding(is_padded);
    GeneralPurpose::new(if is_url_safe { &URL_SAFE } else { &STANDARD }, config)
}

/// Everything in a text that could be base64, in order. Where a run of digits may begin at several places, each is told.
pub(super) fn within(text: &str) -> Vec<Encoded> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        match (is_digit(byte), start) {
            (true, None) => start = Some(at),
            (true, Some(_)) | (false, None) => {}
            (false, Some(begin)) => {
                start = None;
                if at - begin >= SHORTEST {
                    beginnings(text, begin..at, &mut found);
                }
            }
        }
    }
    found
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

fn beginnings(text: &str, run: Range<usize>, found: &mut Vec<Encoded>) {
    let padding = text[run.end..].bytes().take(2).take_while(|byte| *byte == b'=').count();
    let after = text[run.clone()].bytes().enumerate().filter(|(_, byte)| !byte.is_ascii_alphanumeric()).map(|(at, _)| run.start + at + 1);
    for begin in std::iter::once(run.start).chain(after).take(MOST_BEGINNINGS) {
        let digits = &text[begin..run.end];
        if digits.len() < SHORTEST {
            break;
        }
        let is_url_safe = digits.bytes().any(|byte| b"-_".contains(&byte));
        if let Ok(bytes) = engine(is_url_safe, false).decode(digits) {
            found.push(Encoded {
                range: begin..run.end + padding,
                bytes,
                is_url_safe,
                is_padded: padding > 0 || digits.len().is_multiple_of(4),
            });
        }
    }
}

/// A text with the characters that markup writes by their numbers, such as `&#47;` and `&#x2F;`.
pub(super) fn from_markup(text: &str) -> String {
    let mut pieces = text.split("&#");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(';').and_then(|(number, rest)| Some((numbered(number)?, rest))) {
            Some((char, rest)) => {
                whole.push(char);
                whole.push_str(rest);
            }
            None => whole.extend(["&#", piece]),
        }
    }
    whole
}

fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?)
}

/// What the runs of hexadecimal digits in a text stand for.
pub(super) fn in_hex(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let runs = text.split(|char: char| !char.is_ascii_hexdigit()).filter(|run| run.len() >= SHORTEST);
    // A digit before or after does not belong to it.
    runs.flat_map(|run| [&run[..run.len() & !1], &run[1..1 + ((run.len() - 1) & !1)]]).filter_map(|digits| hex::decode(digits).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_found_wherever_it_stands() {
        let found =
            |text: &str| within(text).into_iter().map(|found| String::from_utf8_lossy(&found.bytes).into_owned()).collect::<Vec<_>>();
        assert_eq!(found("Basic YWxpY2U6dDBwczNjcmV0, more"), ["alice:t0ps3cret"]);
        assert!(found("\"/path/dDBwczNjcmV0?x\"").contains(&"t0ps3cret".to_owned()));
        assert!(found("a-b_dDBwczNjcmV0IQ==").contains(&"t0ps3cret!".to_owned()));
        assert!(found("short eHg=").is_empty());
        let in_hex = |text: &str| in_hex(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect::<Vec<_>>();
        assert_eq!(in_hex("x: 616263646, 61"), ["abcd", "\u{16}&6F"].map(str::to_owned));
    }
}
