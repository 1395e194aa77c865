//! HTTP Digest, RFC 7616, and as RFC 2617 had it: answers to challenges, which are remembered to spare the next request the detour.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use url::{Origin, Position, Url, form_urlencoded};

use super::challenge::{self, Challenge, Quality, is_plain};
use super::rate::Rate;
use super::{Session, UNAUTHORIZED, authorized, nonce};
use crate::flow::exchange::{Body, Request, Response};
use crate::flow::uri::percent_encode;
use crate::flow::world::{Transport, Unanswered};

/// How many challenges are remembered.
const MOST_CHALLENGES: usize = 64;
/// How often one request is sent at most: to learn the challenge, to answer it, and once more where its nonce was stale already.
const MOST_SENT: usize = 3;

/// The challenges of a connection, the latest first; one for each host and realm.
#[derive(Default)]
pub(super) struct Challenges(Mutex<VecDeque<Arc<Known>>>);

/// A challenge, and how it was answered so far.
struct Known {
    origin: Origin,
    /// The paths it holds for; none for all.
    paths: Option<Vec<String>>,
    challenge: Challenge,
    answers: AtomicU32,
    /// The client's nonce that a session key is made with. It stays, so whether a server makes the key once or anew does not matter.
    session_nonce: OnceLock<String>,
}

impl Challenges {
    fn covering(&self, url: &Url) -> Option<Arc<Known>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|known| known.covers(url)).cloned()
    }

    /// Remembers a challenge, unless it is known: its answers are counted on then.
    fn remember(&self, url: &Url, challenge: Challenge) -> Arc<Known> {
        let origin = url.origin();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|known| known.origin == origin && known.challenge.realm == challenge.realm);
        let known = match place.and_then(|place| all.remove(place)) {
            Some(known) if known.challenge == challenge => known,
            Some(_) | None => Arc::new(Known::new(url, challenge)),
        };
        all.push_front(known.clone());
        all.truncate(MOST_CHALLENGES);
        known
    }
}

impl Known {
    fn new(url: &Url, challenge: Challenge) -> Self {
        let origin = url.origin();
        let within = challenge.domain.iter().filter_map(|address| url.join(address).ok()).filter(|address| address.origin() == origin);
        let paths = (!challenge.domain.is_empty()).then(|| within.map(|address| address.path().to_owned()).collect());
        Self { origin, paths, challenge, answers: AtomicU32::new(0), session_nonce: OnceLock::new() }
    }

    fn covers(&self, url: &Url) -> bool {
        let covers_path = |paths: &Vec<String>| paths.iter().any(|path| url.path().starts_with(path.as_str()));
        self.origin == url.origin() && self.paths.as_ref().is_none_or(covers_path)
    }

    /// The request with an answer to the challenge.
    fn answer(&self, transport: &dyn Transport, mut request: Request, user: (&str, &str)) -> Result<Request, Unanswered> {
        if !is_plain(user.0) {
            return Err(Unanswered::configuration("the user's name has a control character, which no header can carry"));
        }
        let mut body_hash = None;
        if self.challenge.quality == Some(Quality::AuthInt) {
            let content = content(request.body.as_ref())?;
            body_hash = Some(self.challenge.algorithm.hash(&content));
            // What is sent must be what was hashed, to the byte.
            request.body = request.body.is_some().then(|| Body::Bytes(content.into_owned()));
        }
        let fresh = nonce(transport);
        let answer = Answer {
            challenge: &self.challenge,
            count: self.answers.fetch_add(1, Ordering::Relaxed).wrapping_add(1),
            cnonce: if self.challenge.session { self.session_nonce.get_or_init(|| fresh) } else { &fresh },
            method: &request.method,
            uri: &request.url[Position::BeforePath..Position::AfterQuery],
            body_hash: body_hash.as_deref(),
        };
        let header = answer.header(user);
        Ok(authorized(request, header))
    }
}

impl Session {
    /// Sends a request with an answer to the challenge that is known, or that its first answer brings.
    pub(super) async fn send_with_digest(
        &self,
        transport: &dyn Transport,
        request: Request,
        user: (&str, &str),
        rate: Option<&Rate>,
    ) -> Result<Response, Unanswered> {
        let mut used: Option<Arc<Known>> = None;
        let mut sent = 0;
        loop {
            self.buckets.wait(transport, rate).await?;
            if sent == 0 {
                used = self.challenges.covering(&request.url);
            }
            let attempt = match &used {
                Some(known) => known.answer(transport, request.clone(), user)?,
                None => request.clone(),
            };
            let response = transport.exchange(attempt).await?;
            sent += 1;
            if response.status != UNAUTHORIZED {
                if let Some(known) = &used {
                    self.expect_next_nonce(&request.url, known, &response);
                }
                return Ok(response);
            }
            let Some((challenge, stale)) = challenge::offered(&response.headers) else { return Ok(response) };
            let known = self.challenges.remember(&request.url, challenge);
            let answered = used.as_ref().is_some_and(|used| Arc::ptr_eq(used, &known));
            // To an answer that was no guess, `401` is the last word, unless only its nonce was too old.
            if answered || sent == MOST_SENT || (sent > 1 && !stale) {
                return Ok(response);
            }
            used = Some(known);
        }
    }

    fn expect_next_nonce(&self, url: &Url, known: &Known, response: &Response) {
        // A session's key is bound to its first nonce, and servers differ on what comes after it.
        if !known.challenge.session
            && let Some(nonce) = response.header("authentication-info").and_then(challenge::next_nonce)
        {
            self.challenges.remember(url, Challenge { nonce, ..known.challenge.clone() });
        }
    }
}

/// What goes into one answer, RFC 7616 section 3.4.
struct Answer<'a> {
    challenge: &'a Challenge,
    count: u32,
    cnonce: &'a str,
    method: &'a str,
    uri: &'a str,
    body_hash: Option<&'a str>,
}

impl Answer<'_> {
    fn response(&self, (username, password): (&str, &str)) -> String {
        let Challenge { realm, nonce, algorithm, session, quality, .. } = self.challenge;
        let mut key = algorithm.hash(format!("{username}:{realm}:{password}"));
        if *session {
            key = algorithm.hash(format!("{key}:{nonce}:{}", self.cnonce));
        }
        let mut request = format!("{}:{}", self.method, self.uri);
        if let Some(body_hash) = self.body_hash {
            let _ = write!(request, ":{body_hash}");
        }
        let request = algorithm.hash(request);
        algorithm.hash(match quality {
            Some(quality) => format!("{key}:{nonce}:{:08x}:{}:{}:{request}", self.count, self.cnonce, quality.name()),
            None => format!("{key}:{nonce}:{request}"),
        })
    }

    fn header(&self, user: (&str, &str)) -> String {
        let Challenge { realm, nonce, opaque, name, algorithm, session, quality, userhash, .. } = self.challenge;
        let username = match user.0 {
            username if *userhash => format!("username=\"{}\"", algorithm.hash(format!("{username}:{realm}"))),
            username if username.is_ascii() => format!("username={}", quoted(username)),
            username => format!("username*=UTF-8''{}", percent_encode(username)),
        };
        let mut header = format!(
            "Digest {username}, realm={}, nonce={}, uri={}, response=\"{}\"",
            quoted(realm),
            quoted(nonce),
            quoted(self.uri),
            self.response(user)
        );
        if let Some(name) = name {
            let _ = write!(header, ", algorithm={name}");
        }
        if let Some(opaque) = opaque {
            let _ = write!(header, ", opaque={}", quoted(opaque));
        }
        if let Some(quality) = quality {
            let _ = write!(header, ", qop={}, nc={:08x}", quality.name(), self.count);
        }
        if quality.is_some() || *session {
            let _ = write!(header, ", cnonce=\"{}\"", self.cnonce);
        }
        if *userhash {
            header.push_str(", userhash=true");
        }
        header
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The bytes that a body is sent as.
fn content(body: Option<&Body>) -> Result<Cow<'_, [u8]>, Unanswered> {
    Ok(match body {
        None => Cow::Borrowed(&[]),
        Some(Body::Text(text)) => Cow::Borrowed(text.as_bytes()),
        Some(Body::Bytes(bytes)) => Cow::Borrowed(bytes),
        Some(Body::Json(value)) => Cow::Owned(value.to_string().into_bytes()),
        Some(Body::Form(fields)) => Cow::Owned(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()),
        Some(Body::Multipart(_)) => {
            return Err(Unanswered::configuration("the server wants the body's digest (`qop=auth-int`), which a multipart body has not"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUFASA: (&str, &str) = ("Mufasa", "Circle of Life");

    fn header(challenge: &str, cnonce: &str, uri: &str, body: Option<&str>, user: (&str, &str)) -> String {
        let headers = [("www-authenticate".to_owned(), challenge.to_owned())];
        let (challenge, _) = challenge::offered(&headers).unwrap();
        let body_hash = body.map(|body| challenge.algorithm.hash(body));
        Answer { challenge: &challenge, count: 1, cnonce, method: "GET", uri, body_hash: body_hash.as_deref() }.header(user)
    }

    #[test]
    fn the_examples_of_the_standards() {
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, response) in
            [("MD5", "8ca523f5e9506fed4657c9700eebdbec"), ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")]
        {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let expected = format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 uri=\"/dir/index.html\", response=\"{response}\", algorithm={algorithm}, \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, cnonce=\"{cnonce}\""
            );
            assert_eq!(header(&challenge, cnonce, "/dir/index.html", None, MUFASA), expected);
        }
        // RFC 2617, and its challenge without `qop`, as RFC 2069 had it.
        let challenge = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let user = ("Mufasa", "Circle Of Life");
        let old = header(&format!("{challenge}, qop=auth"), "0a4f113b", "/dir/index.html", None, user);
        assert!(old.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{old}");
        let oldest = header(challenge, "0a4f113b", "/dir/index.html", None, user);
        assert!(oldest.ends_with("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{oldest}");
    }

    #[test]
    fn a_hashed_name_a_session_key_and_a_protected_body() {
        // The example of RFC 7616, section 3.9.2, whose hashes are wrong there: these were computed with another implementation.
        let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, userhash=true, charset=UTF-8, \
                         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\"";
        let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm";
        let hashed = header(challenge, cnonce, "/doe.json", None, ("J\u{e4}s\u{f8}n Doe", "Secret, or not?"));
        assert!(hashed.contains("username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\""), "{hashed}");
        assert!(hashed.contains("response=\"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c\""), "{hashed}");
        let challenge = "Digest realm=\"r\", qop=auth-int, algorithm=MD5-sess, nonce=n";
        let whole = header(challenge, "c", "/p?q", Some("body"), ("J\u{e4} \"x\"", "p"));
        assert!(whole.starts_with("Digest username*=UTF-8''J%C3%A4%20%22x%22, "), "{whole}");
        assert!(whole.contains("response=\"05f0f927df577765f07a9adb5edabcad\""), "{whole}");
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
    }
}
