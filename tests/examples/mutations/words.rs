//! Changes of a text, a word at a time: names become others, numbers grow, operators turn round.

/// Words that stand for each other, so that what is changed still says something.
const OTHERS: [(&str, &str); 14] = [
    ("get", "put"),
    ("put", "post"),
    ("post", "put"),
    ("patch", "post"),
    ("delete", "get"),
    ("sha256", "sha512"),
    ("sha1", "sha256"),
    ("base64", "hex"),
    ("hex", "base64"),
    ("true", "false"),
    ("false", "true"),
    ("null", "false"),
    ("and", "or"),
    ("or", "and"),
];
const OPERATORS: [(&str, &str); 7] =
    [("==", "!="), ("!=", "=="), ("<=", ">"), (">=", "<"), ("[]?", "[]"), (" < ", " >= "), (" > ", " <= ")];

/// The text with each of its words changed in turn, and each of its operators.
pub fn changed(text: &str) -> Vec<String> {
    let mut changed: Vec<String> = words(text).map(|(start, word)| replaced(text, start, word, &other(word))).collect();
    if text.contains("${") {
        for (operator, other) in OPERATORS {
            changed.extend(text.match_indices(operator).map(|(start, found)| replaced(text, start, found, other)));
        }
    }
    changed
}

/// The words and numbers of a text, with where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words = text.split(move |c: char| !is_part(c)).filter(|word| !word.is_empty());
    words.map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

fn other(word: &str) -> String {
    if let Ok(number) = word.parse::<u64>() {
        return (number + 1).to_string();
    }
    let known = OTHERS.iter().find(|(known, _)| *known == word);
    known.map_or_else(|| format!("{word}X"), |(_, other)| (*other).to_owned())
}

fn replaced(text: &str, start: usize, word: &str, other: &str) -> String {
    format!("{}{other}{}", &text[..start], &text[start + word.len()..])
}

#[test]
fn each_word_number_and_operator_is_changed() {
    assert_eq!(changed("${ .a == 12 }"), ["${ .aX == 12 }", "${ .a == 13 }", "${ .a != 12 }"]);
    assert_eq!(changed("/a/{b}-c"), ["/aX/{b}-c", "/a/{bX}-c", "/a/{b}-cX"]);
    assert_eq!(changed("get"), ["put"]);
}
