//! A stranger's text made fit for a message: one line, not long, and nothing that a terminal or a page would obey.

use super::is_obeyed;

/// The beginning of a value, with control and direction characters written as escapes.
pub(crate) fn of(text: &str) -> String {
    shown(text, 60)
}

/// The beginning of another library's message, which may repeat parts of a value.
pub(super) fn of_message(error: &dyn std::fmt::Display) -> String {
    shown(&error.to_string(), 200)
}

/// The beginning of a text as it is, of so many characters.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn shown(text: &str, longest: usize) -> String {
    let mut excerpt: String = text.chars().take(longest).flat_map(Shown::of).collect();
    if text.chars().nth(longest).is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// One character as it is shown.
enum Shown {
    Plain(std::iter::Once<char>),
    Escaped(std::char::EscapeDefault),
}

impl Shown {
    fn of(character: char) -> Self {
        // In a line of somebody else's words, what breaks it or takes no room is no better than what is obeyed.
        let is_unseen = matches!(character, '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{FEFF}');
        if is_obeyed(character) || is_unseen { Self::Escaped(character.escape_default()) } else { Self::Plain(std::iter::once(character)) }
    }
}

impl Iterator for Shown {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::Plain(plain) => plain.next(),
            Self::Escaped(escaped) => escaped.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_it_is_obeyed() {
        assert_eq!(super::of("Démo"), "Démo");
        assert_eq!(super::of("a\u{1b}[31m\nb\u{202E}c\u{61C}"), "a\\u{1b}[31m\\nb\\u{202e}c\\u{61c}");
        assert_eq!(super::of(&"x".repeat(1_000_000)).chars().count(), 61);
    }
}
