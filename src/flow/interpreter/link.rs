//! The `Link` header, RFC 8288.

use crate::flow::exchange::Response;

/// The address that a response links to with a relation, as it is written there.
pub(super) fn target<'r>(response: &'r Response, relation: &str) -> Option<&'r str> {
    let headers = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link"));
    headers.map(|(_, value)| value.as_str()).find_map(|header| in_header(header, relation))
}

fn in_header<'h>(header: &'h str, relation: &str) -> Option<&'h str> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let (parameters, next) = until(after, ',');
        if relates(parameters, relation) {
            return Some(target.trim());
        }
        rest = next;
    }
}

/// What comes before a separator, and what after it; within quotes it separates nothing.
fn until(text: &str, separator: char) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => return (&text[..at], &text[at + c.len_utf8()..]),
            _ => {}
        }
    }
    (text, "")
}

/// Whether a link has a relation: its first `rel` counts, RFC 8288, section 3.3.
fn relates(parameters: &str, relation: &str) -> bool {
    let mut rest = parameters;
    while !rest.is_empty() {
        let (parameter, after) = until(rest, ';');
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let relations = value.trim().trim_matches('"').split_whitespace();
            return relations.into_iter().any(|known| known.eq_ignore_ascii_case(relation));
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(headers: &[&str]) -> Option<String> {
        let headers = headers.iter().map(|value| ("Link".to_owned(), (*value).to_owned())).collect();
        target(&Response { status: 200, headers, body: Vec::new() }, "next").map(str::to_owned)
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        let both = "<https://a.example/?page=1>; rel=\"prev\", <https://a.example/?page=3>; rel=\"next\"";
        assert_eq!(next(&[both]).as_deref(), Some("https://a.example/?page=3"));
        assert_eq!(next(&["</b,c;d>;title=\"x, <y>; rel=next\"; REL=next"]).as_deref(), Some("/b,c;d"));
        assert_eq!(next(&["<a>; rel=\"last\"", "<b>; rel=\"x next\""]).as_deref(), Some("b"));
        assert_eq!(next(&["<a>; title=\"x; rel=next\""]), None);
        assert_eq!(next(&["<a>; rel=prev; rel=next"]), None);
        for none in ["", "<", "<a", "<a>", "a; rel=next", "<a>; rel=\"nextly\"", "<a>; title=\"\\\"; rel=next"] {
            assert_eq!(next(&[none]), None, "{none}");
        }
    }
}
