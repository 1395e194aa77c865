//! Bytes into text: byte order marks first, then the content type's charset, then what the document says of itself, then UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use super::short;
use crate::flow::exchange::Response;

/// A media type without its parameters, in lowercase.
pub(crate) fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A response's text. `declared` is the encoding that the document itself names; a charset in the content type goes before it.
pub(super) fn text<'r>(response: &'r Response, declared: Option<&'static Encoding>) -> Result<Cow<'r, str>, String> {
    let bytes = response.body.as_slice();
    let (encoding, marked) = match Encoding::for_bom(bytes) {
        Some(known) => known,
        None => match response.header("content-type").and_then(charset) {
            Some(label) => (named(label)?, 0),
            None => (declared.unwrap_or(UTF_8), 0),
        },
    };
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes.get(marked..).unwrap_or_default());
    text.ok_or_else(|| format!("the response is not text in {}", encoding.name()))
}

/// The encoding of a label, as browsers know them: `latin1` is windows-1252, say.
pub(super) fn named(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| format!("the response's charset `{}` is not known", short(label)))
}

fn charset(kind: &str) -> Option<&str> {
    let parameters = kind.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.next().map(|(_, value)| value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &[u8]) -> Result<String, String> {
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        text(&Response { status: 200, headers, body: body.to_vec() }, None).map(Cow::into_owned)
    }

    #[test]
    fn the_charset_counts_unless_a_mark_says_otherwise() {
        for (kind, body, expected) in [
            ("text/plain", &b"M\xc3\xbcller"[..], "Müller"),
            ("text/plain; charset=ISO-8859-1", b"M\xfcller", "Müller"),
            ("text/plain; format=flowed; Charset=\"latin1\"", b"M\xfcller", "Müller"),
            ("text/plain; charset=windows-1252", b"5 \x80", "5 €"),
            ("text/plain; charset=utf-16le", b"a\0b\0", "ab"),
            ("text/plain; charset=utf-16", b"\xfe\xff\0a\0b", "ab"),
            ("text/plain; charset=shift_jis", b"\x93\xfa", "日"),
            ("text/plain; charset=latin1", b"\xef\xbb\xbf\xc3\xbc", "ü"),
            ("text/plain; charset=", b"\xef\xbb\xbfa", "a"),
        ] {
            assert_eq!(read(kind, body).as_deref(), Ok(expected), "{kind}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(read("text/plain", b"M\xfcller"), Err("the response is not text in UTF-8".to_owned()));
        assert_eq!(read("text/plain; charset=utf-16le", b"\0\xd8"), Err("the response is not text in UTF-16LE".to_owned()));
        assert_eq!(read("text/plain; charset=ebcdic", b"a"), Err("the response's charset `ebcdic` is not known".to_owned()));
        assert_eq!(read("text/plain; charset=iso-2022-kr", b"a"), Err("the response's charset `iso-2022-kr` is not known".to_owned()));
    }
}
