//! Bodies of requests as they travel.

use url::form_urlencoded;

use crate::flow::{Body, Part};

/// A body's bytes, and the type that only whoever encodes it can tell.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: Option<String>,
}

/// Encodes a body.
pub(super) fn encode(body: Body) -> Encoded {
    let plain = |bytes: Vec<u8>| Encoded { bytes, content_type: None };
    match body {
        Body::Json(value) => plain(value.to_string().into_bytes()),
        Body::Text(text) => plain(text.into_bytes()),
        Body::Bytes(bytes) => plain(bytes),
        Body::Form(fields) => plain(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()),
        Body::Multipart(parts) => {
            let boundary = boundary(&parts);
            Encoded { bytes: multipart(&parts, &boundary), content_type: Some(format!("multipart/form-data; boundary={boundary}")) }
        }
    }
}

/// A line that no part holds.
fn boundary(parts: &[Part]) -> String {
    loop {
        let boundary = format!("switchboard-{:032x}", fastrand::u128(..));
        let holds = |content: &[u8]| content.windows(boundary.len()).any(|window| window == boundary.as_bytes());
        if !parts.iter().any(|part| holds(&part.content)) {
            return boundary;
        }
    }
}

fn multipart(parts: &[Part], boundary: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.content.len() + 256).sum());
    for part in parts {
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name));
        if let Some(filename) = &part.filename {
            head.push_str(&format!("; filename=\"{}\"", quoted(filename)));
        }
        if let Some(kind) = &part.content_type {
            head.push_str("\r\nContent-Type: ");
            head.extend(kind.chars().filter(|c| !c.is_control()));
        }
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&part.content);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    bytes
}

/// A name between quotes, as browsers write it (HTML, "multipart/form-data encoding algorithm").
fn quoted(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_whatever_they_are_named() {
        let part = |name: &str, filename: Option<&str>, kind: Option<&str>, content: &[u8]| Part {
            name: name.to_owned(),
            filename: filename.map(str::to_owned),
            content_type: kind.map(str::to_owned),
            content: content.to_vec(),
        };
        let parts = vec![part("a\"\r\nX: y", None, None, b"1"), part("f", Some("ü.png"), Some("image/png\r\nX: y"), &[0xff, 0])];
        let encoded = encode(Body::Multipart(parts));
        let kind = encoded.content_type.unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = [
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"a%22%0D%0AX: y\"\r\n\r\n1\r\n").as_bytes(),
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"ü.png\"\r\n").as_bytes(),
            b"Content-Type: image/pngX: y\r\n\r\n\xff\0\r\n",
            format!("--{boundary}--\r\n").as_bytes(),
        ]
        .concat();
        assert_eq!(encoded.bytes, expected);
    }

    #[test]
    fn forms_are_encoded() {
        let form = Body::Form(vec![("a b".to_owned(), "ü&=".to_owned()), ("c".to_owned(), String::new())]);
        assert_eq!(encode(form).bytes, b"a+b=%C3%BC%26%3D&c=");
    }
}
