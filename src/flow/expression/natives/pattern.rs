//! Regular expressions of jq: Oniguruma's language, Unicode, bounded in size and in time, and kept while a worker may need them again.

use std::cell::RefCell;
use std::rc::Rc;

use fancy_regex::{Regex, RegexBuilder};
use jaq_core::Error;
use jaq_json::Val;

use super::super::datum::{Datum, error};
use crate::manifest::cut;

/// The longest pattern, in bytes.
const LONGEST: usize = 8 * 1024;
/// How big a compiled pattern may get, in bytes and in steps.
const BIGGEST: usize = 8 << 20;
const MOST_STEPS: usize = 100_000;
/// How often one search may take another way.
const MOST_BACKTRACKING: usize = 1_000_000;
/// How many patterns are kept.
const MOST_KEPT: usize = 32;
/// How much of a pattern a message repeats, in characters.
const LONGEST_SLICE: usize = 40;

/// A regular expression, and whether all of its matches are wanted.
pub(super) struct Pattern {
    pub(super) regex: Rc<Regex>,
    pub(super) global: bool,
}

/// What the letters of a flag text ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    global: bool,
    ignore_case: bool,
    extended: bool,
    dot_all: bool,
    not_empty: bool,
    longest: bool,
}

type Kept = (String, Flags, Rc<Regex>);

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// The pattern that these two arguments ask for, for a text that ends with a line's end or not.
pub(super) fn of(pattern: &Datum, flags: &Datum, ends_line: bool) -> Result<Pattern, Error<Datum>> {
    let (Val::TStr(text) | Val::BStr(text)) = &pattern.0 else {
        return Err(error(format!("{} cannot be matched, as it is not a string", pattern.told())));
    };
    let flags = flags_of(flags)?;
    let text = String::from_utf8_lossy(text);
    // To Oniguruma `$` is also right before a line's end that ends the text.
    let text = if ends_line && text.contains('$') { before_last_line_end(&text).into() } else { text };
    let found =
        KEPT.with_borrow(|kept| kept.iter().find(|(known, with, _)| *known == text && *with == flags).map(|(.., regex)| regex.clone()));
    let regex = match found {
        Some(regex) => regex,
        None => keep(&text, flags)?,
    };
    Ok(Pattern { regex, global: flags.global })
}

fn flags_of(flags: &Datum) -> Result<Flags, Error<Datum>> {
    let (Val::TStr(text) | Val::BStr(text)) = &flags.0 else {
        return if flags.0 == Val::Null { Ok(Flags::default()) } else { Err(error(format!("{} is not a string", flags.told()))) };
    };
    let mut asked = Flags::default();
    for letter in text.iter() {
        match letter {
            b'g' => asked.global = true,
            b'i' => asked.ignore_case = true,
            b'x' => asked.extended = true,
            b'm' | b'p' => asked.dot_all = true,
            b'n' => asked.not_empty = true,
            b'l' => asked.longest = true,
            // `^` and `$` are the ends of the text anyway.
            b's' => {}
            _ => return Err(error(format!("{} is not a valid modifier string", String::from_utf8_lossy(text)))),
        }
    }
    Ok(asked)
}

fn keep(text: &str, flags: Flags) -> Result<Rc<Regex>, Error<Datum>> {
    let regex = Rc::new(compile(text, flags)?);
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MOST_KEPT {
            kept.remove(0);
        }
        kept.push((text.to_owned(), flags, regex.clone()));
    });
    Ok(regex)
}

fn compile(text: &str, flags: Flags) -> Result<Regex, Error<Datum>> {
    if text.len() > LONGEST {
        return Err(error(format!("the regular expression is longer than {LONGEST} bytes")));
    }
    let mut builder = RegexBuilder::new(text);
    builder
        .oniguruma_mode(true)
        .case_insensitive(flags.ignore_case)
        .ignore_whitespace(flags.extended)
        .dot_matches_new_line(flags.dot_all)
        .find_not_empty(flags.not_empty)
        .ignore_numbered_groups_when_named_groups_exist(false)
        .backtrack_limit(MOST_BACKTRACKING)
        .delegate_size_limit(BIGGEST)
        .max_prog_size(MOST_STEPS);
    builder.build().map_err(|why| error(format!("`{}` is not a regular expression: {why}", cut(text, LONGEST_SLICE))))
}

/// The pattern with `\Z` for every `$` that is an anchor.
fn before_last_line_end(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let (mut escaped, mut class) = (false, 0_usize);
    for letter in pattern.chars() {
        match letter {
            '$' if !escaped && class == 0 => {
                out.push_str("\\Z");
                continue;
            }
            '[' if !escaped => class += 1,
            ']' if !escaped => class = class.saturating_sub(1),
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, flags: &str) -> Result<Pattern, Error<Datum>> {
        of(&Datum::text(text), &Datum::text(flags), false)
    }

    #[test]
    fn what_would_never_end_ends() {
        let text = format!("{}!", "a".repeat(60));
        for hostile in ["^(?=(a+)+$)x", "(a|aa)+(?!.)", "^(a|a?)+(?<=b)$", "(.*)*\\1\\1\\1x"] {
            let found = pattern(hostile, "").map(|pattern| pattern.regex.is_match(&*text));
            assert!(!matches!(found, Ok(Ok(true))), "{hostile}");
        }
        assert_eq!(pattern("^(a+)+$", "").unwrap().regex.is_match(&*text).ok(), Some(false));
    }

    #[test]
    fn what_is_too_big_is_refused() {
        for hostile in [
            "(",
            "\\w{1000}{1000}",
            "(?<a>\\g<a>\\g<a>|b)+\\g<a>",
            &"(".repeat(4000),
            &"a".repeat(LONGEST + 1),
            "((((a{99}){99}){99}){99})(?=b)",
        ] {
            assert!(pattern(hostile, "").is_err(), "{}", cut(hostile, LONGEST_SLICE));
        }
        assert!(pattern("a", "gq").is_err());
    }

    #[test]
    fn patterns_are_kept_and_forgotten() {
        let first = pattern("k.pt", "g").unwrap().regex;
        assert!(Rc::ptr_eq(&first, &pattern("k.pt", "g").unwrap().regex));
        assert!(!Rc::ptr_eq(&first, &pattern("k.pt", "gi").unwrap().regex));
        (0..MOST_KEPT).for_each(|at| drop(pattern(&format!("x{at}"), "").unwrap()));
        assert!(!Rc::ptr_eq(&first, &pattern("k.pt", "g").unwrap().regex));
        KEPT.with_borrow(|kept| assert!(kept.len() <= MOST_KEPT));
    }

    #[test]
    fn the_end_of_a_text_is_before_its_last_line_end() {
        assert_eq!(before_last_line_end("a$|[$]\\$(b$)"), "a\\Z|[$]\\$(b\\Z)");
    }
}
