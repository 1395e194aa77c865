//! "Did you mean": the nearest of several known words.

/// What is said of a word that is not known: the one that was most likely meant, or all there are.
pub(crate) fn nearest_or_known(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("Known keys here: {}.", listed(known)),
    }
}

/// How alike two words must be for one to be taken for a slip of the other; 1 is equal.
const ALIKE: f64 = 0.6;

/// The known word that was most likely meant.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Comparing costs the product of both lengths, and no slip is that long.
    if word.len() > 100 {
        return None;
    }
    let bare = bare(word);
    known
        .into_iter()
        .map(|candidate| (likeness(&bare, &self::bare(candidate)), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// From 0 to 1. The beginning of a word stands for the word.
fn likeness(word: &str, candidate: &str) -> f64 {
    let begins = word.len() >= 3 && candidate.starts_with(word);
    strsim::normalized_damerau_levenshtein(word, candidate).max(if begins { ALIKE } else { 0.0 })
}

/// Words in a row, with a word before the last one, for a sentence.
pub fn joined(words: &[&str], with: &str) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} {with} {last}", first.join(", ")),
    }
}

/// Words in a row, for a sentence: not more than a dozen.
pub fn listed(words: &[&str]) -> String {
    let shown: Vec<String> = words.iter().take(12).map(|word| format!("`{word}`")).collect();
    let more = if words.len() > 12 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Without case and joints: `base_url` and `baseUrl` are one word.
fn bare(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let keys = ["title", "description", "sharedWith", "baseUrl"];
        assert_eq!(nearest("titel", keys), Some("title"));
        assert_eq!(nearest("shared_with", keys), Some("sharedWith"));
        assert_eq!(nearest("baseURL", keys), Some("baseUrl"));
        assert_eq!(nearest("desc", keys), Some("description"));
        assert_eq!(nearest("webhook", keys), None);
        assert_eq!(nearest(&"x".repeat(1000), keys), None);
    }
}
