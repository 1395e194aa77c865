//! What a server asks for when it answers `401`: the challenges of `WWW-Authenticate`, RFC 9110 section 11 and RFC 7616 section 3.3.

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

/// A Digest challenge that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    /// The algorithm's name, where the server named one.
    pub(super) name: Option<&'static str>,
    pub(super) algorithm: Algorithm,
    /// Whether the password goes into a key of the session, the `-sess` algorithms.
    pub(super) session: bool,
    pub(super) quality: Option<Quality>,
    pub(super) userhash: bool,
    /// The addresses it holds for, as the server wrote them; empty for the whole host.
    pub(super) domain: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha256,
    Sha512Half,
}

/// What is protected: the request's line, or its body too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Auth,
    AuthInt,
}

const ALGORITHMS: [(&str, Algorithm, bool); 6] = [
    ("MD5", Algorithm::Md5, false),
    ("MD5-sess", Algorithm::Md5, true),
    ("SHA-256", Algorithm::Sha256, false),
    ("SHA-256-sess", Algorithm::Sha256, true),
    ("SHA-512-256", Algorithm::Sha512Half, false),
    ("SHA-512-256-sess", Algorithm::Sha512Half, true),
];

/// The first Digest challenge that can be answered, which is the one the server likes best, and whether the credentials were stale.
pub(super) fn offered(headers: &[(String, String)]) -> Option<(Challenge, bool)> {
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate")).map(|(_, value)| value);
    let digests = values.flat_map(|value| read(value)).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest"));
    digests.into_iter().find_map(|(_, parameters)| {
        let stale = parameter(&parameters, "stale").is_some_and(is_true);
        Some((Challenge::from_parameters(&parameters)?, stale))
    })
}

/// The nonce that `Authentication-Info` gives for the next request.
pub(super) fn next_nonce(header: &str) -> Option<String> {
    let (_, parameters) = read(&format!("Digest {header}")).into_iter().next()?;
    parameter(&parameters, "nextnonce").filter(|nonce| is_plain(nonce)).map(str::to_owned)
}

type Parameters = Vec<(String, String)>;

impl Challenge {
    fn from_parameters(parameters: &Parameters) -> Option<Self> {
        let text = |name| parameter(parameters, name).filter(|text| is_plain(text)).map(str::to_owned);
        let (name, algorithm, session) = match parameter(parameters, "algorithm") {
            None => (None, Algorithm::Md5, false),
            Some(named) => {
                let known = ALGORITHMS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(named))?;
                (Some(known.0), known.1, known.2)
            }
        };
        let qualities: Vec<_> = parameter(parameters, "qop").unwrap_or_default().split(',').map(str::trim).collect();
        let offers = |quality: &str| qualities.iter().any(|offered| offered.eq_ignore_ascii_case(quality));
        let quality = match () {
            () if offers("auth") => Some(Quality::Auth),
            () if offers("auth-int") => Some(Quality::AuthInt),
            // As before RFC 2617.
            () if qualities == [""] => None,
            () => return None,
        };
        Some(Self {
            realm: text("realm")?,
            nonce: text("nonce")?,
            opaque: text("opaque"),
            name,
            algorithm,
            session,
            quality,
            userhash: parameter(parameters, "userhash").is_some_and(is_true),
            domain: parameter(parameters, "domain").unwrap_or_default().split_whitespace().take(64).map(str::to_owned).collect(),
        })
    }
}

impl Algorithm {
    /// The hash in hexadecimal.
    pub(super) fn hash(self, bytes: impl AsRef<[u8]>) -> String {
        match self {
            Self::Md5 => hex::encode(Md5::digest(bytes)),
            Self::Sha256 => hex::encode(Sha256::digest(bytes)),
            Self::Sha512Half => hex::encode(Sha512_256::digest(bytes)),
        }
    }
}

impl Quality {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// Whether a header can carry it.
pub(super) fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

fn parameter<'p>(parameters: &'p Parameters, name: &str) -> Option<&'p str> {
    parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The challenges of one header, each a scheme with its parameters. What is no challenge is passed over.
fn read(header: &str) -> Vec<(&str, Parameters)> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let mut challenges: Vec<(&str, Parameters)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = rest.split_at(rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len()));
        let after = after.trim_start_matches(BLANKS);
        if let Some(value) = after.strip_prefix('=') {
            let (value, after) = read_value(value.trim_start_matches(BLANKS));
            if let Some((_, parameters)) = challenges.last_mut() {
                parameters.push((word.to_owned(), value));
            }
            rest = after;
        } else if !word.is_empty() {
            challenges.push((word, Vec::new()));
            rest = after;
        } else if let Some(after) = after.strip_prefix('"') {
            rest = after;
        } else {
            return challenges;
        }
    }
}

/// A token, or a quoted string without its quotes and escapes; and what stands after it.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, after) = text.split_at(text.find([' ', '\t', ',']).unwrap_or(text.len()));
        return (token.to_owned(), after);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            character => value.push(character),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered_by(headers: &[&str]) -> Option<(Challenge, bool)> {
        let headers: Vec<_> = headers.iter().map(|value| ("WWW-Authenticate".to_owned(), (*value).to_owned())).collect();
        offered(&headers)
    }

    #[test]
    fn the_first_digest_that_can_be_answered_is_found_among_others() {
        let mixed =
            r#"Negotiate YII=, Basic realm="a, Digest realm=\"x\", nonce=\"y\"", digest realm = "one \"two\\", NONCE="n=,1" , stale=TRUE"#;
        let (challenge, stale) = offered_by(&["NTLM", mixed, r#"Digest realm="later", nonce="n""#]).unwrap();
        assert_eq!((challenge.realm.as_str(), challenge.nonce.as_str(), stale), (r#"one "two\"#, "n=,1", true));
        let (challenge, stale) = offered_by(&[
            r#"Digest realm="r", nonce="n", algorithm=SHA-3, Digest realm="r", nonce="n", qop="auth-conf""#,
            r#"Digest realm="r", nonce="n", algorithm="sha-256-SESS", qop="auth-int,  AUTH", userhash=true"#,
        ])
        .unwrap();
        assert_eq!((challenge.name, challenge.quality, challenge.userhash), (Some("SHA-256-sess"), Some(Quality::Auth), true));
        assert!(challenge.session && !stale);
    }

    #[test]
    fn what_is_no_digest_challenge_is_passed_over() {
        for header in
            ["", "Basic", "Digest", r#"Digest realm="r""#, r#"Digest nonce="n"#, "\"", "=\"\\", "Digest realm=\"a\u{7}\", nonce=n"]
        {
            assert_eq!(offered_by(&[header]), None, "{header}");
        }
    }

    #[test]
    fn the_next_nonce_is_read() {
        assert_eq!(next_nonce(r#"rspauth="1", nextnonce="abc""#).as_deref(), Some("abc"));
        assert_eq!(next_nonce(r#"rspauth="1""#), None);
    }
}
