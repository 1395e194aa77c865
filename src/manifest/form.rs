//! The forms that names and texts have: one pattern each, for the schemas, with what it asks for in words, for people.

use crate::model::Version;

/// Names of connectors, actions, triggers, errors and environments.
pub(super) const KEBAB: &str = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$";
/// Names of types.
pub(super) const PASCAL: &str = r"^[A-Z][A-Za-z0-9]*$";
/// Names of connection properties.
pub(super) const CAMEL: &str = r"^[a-z][A-Za-z0-9]*$";
/// People.
pub(super) const ADDRESS: &str = r"^[^@\s<>]+@[^@\s<>]+$";
/// Semantic version 2.0, as <https://semver.org> suggests it.
pub(super) const SEMVER: &str = r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-((0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?$";
/// Digests, SHA-256.
pub(super) const DIGEST: &str = r"^[0-9a-f]{64}$";
/// Commits of either of git's object formats.
pub(super) const COMMIT: &str = r"^[0-9a-f]{40,64}$";
/// Hosts a connector may reach.
pub(super) const HOST: &str = r"^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$";
/// Webhook paths.
pub(super) const PATH: &str = r"^/[^\s?#]*$";
/// Methods of webhooks.
pub(super) const METHOD: &str = r"^(get|post|put|patch|delete|head|options)$";
/// Names of headers, RFC 9110, section 5.1.
pub(super) const HEADER: &str = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
/// Pictures in the connector's folder.
pub(super) const ICON: &str = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.(svg|png)$";
/// Recordings in the connector's folder: below `tests/`, where no suite is.
pub(super) const RECORDING: &str = r"^tests/([A-Za-z0-9_][A-Za-z0-9_.-]*/)+[A-Za-z0-9_][A-Za-z0-9_.-]*\.yaml$";
/// ISO 8601 durations without years and months, which have no fixed length.
pub(super) const DURATION: &str = r"^P(?=.)([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$";
/// The same, with fractions of a second.
pub(super) const ELAPSED: &str = r"^P(?=.)([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?$";
/// An expression of a case, where what it gives is no text.
pub(super) const EXPRESSION: &str = r"^\s*\$\{[\s\S]*\}\s*$";
/// A duration with fractions of a second, or an expression that gives one.
pub(super) const GIVEN_ELAPSED: &str =
    r"^(\s*\$\{[\s\S]*\}\s*|P(?=.)([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?)$";
/// Text with something in it.
pub(super) const TEXT: &str = r"\S";
/// Bytes in base64, RFC 4648, section 4; lines may be broken.
pub(super) const BASE64: &str = r"^\s*(([A-Za-z0-9+/]\s*){4})*(([A-Za-z0-9+/]\s*){2}(=\s*){2}|([A-Za-z0-9+/]\s*){3}=\s*)?$";

/// What a pattern asks for, to follow "expected".
pub(super) fn in_words(pattern: &str) -> Option<&'static str> {
    Some(match pattern {
        KEBAB => "kebab-case: lowercase letters, digits and single hyphens, beginning with a letter",
        PASCAL => "PascalCase: letters and digits, beginning with a capital",
        CAMEL => "camelCase: letters and digits, beginning with a lowercase letter",
        ADDRESS => "an address such as `alice@example.com`",
        SEMVER => "a semantic version such as `1.2.0`",
        Version::FORM => "a version such as `1.2.0` or `sha-0123456789ab`",
        COMMIT => "a commit of 40 to 64 hexadecimal digits",
        DIGEST => "a digest of 64 hexadecimal digits",
        HOST => "a host's name alone, such as `api.example.com` or `*.example.com`",
        PATH => "a path that begins with `/`",
        METHOD => "`get`, `post`, `put`, `patch`, `delete`, `head` or `options`",
        HEADER => "the name of a header, such as `X-Signature`",
        ICON => "the name of an SVG or PNG file in the connector's folder",
        RECORDING => "a YAML file in a folder below `tests/`, such as `tests/recordings/get-issue.yaml`",
        DURATION => "an ISO 8601 duration such as `PT5M` or `P1D`",
        EXPRESSION => "a number, or an expression such as `${ $each.status }`",
        GIVEN_ELAPSED | ELAPSED => "an ISO 8601 duration such as `PT30S` or `PT0.5S`",
        TEXT => "some text",
        BASE64 => "bytes in base64, such as `iVBORw0KGgo=`",
        _ => return None,
    })
}

/// The name nearest to the one given that has the form of a pattern, where there is an obvious one.
pub(super) fn mended(pattern: &str, name: &str) -> Option<String> {
    if name.len() > 100 {
        return None;
    }
    let words = words_of(name);
    if words.is_empty() {
        return None;
    }
    let capital = |word: &String| word[..1].to_ascii_uppercase() + &word[1..];
    let mended = match pattern {
        KEBAB => words.join("-"),
        PASCAL => words.iter().map(capital).collect(),
        CAMEL => words[0].clone() + &words[1..].iter().map(capital).collect::<String>(),
        _ => return None,
    };
    (mended.starts_with(|first: char| first.is_ascii_alphabetic()) && mended != name).then_some(mended)
}

/// The words of a name in lowercase, however they are joined. Only ASCII letters and digits are kept.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lowercase = false;
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() || (character.is_ascii_uppercase() && after_lowercase) {
            words.push(String::new());
        }
        if character.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(character.to_ascii_lowercase());
        }
        after_lowercase = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mended_where_that_is_obvious() {
        let cases = [
            (KEBAB, "createIssue", Some("create-issue")),
            (KEBAB, "Create_issue", Some("create-issue")),
            (PASCAL, "issue_list", Some("IssueList")),
            (CAMEL, "base-url", Some("baseUrl")),
            (CAMEL, "BaseURL", Some("baseUrl")),
            (KEBAB, "1st", None),
            (KEBAB, "é", None),
        ];
        for (pattern, name, mended_name) in cases {
            assert_eq!(mended(pattern, name).as_deref(), mended_name, "{name}");
        }
    }
}
