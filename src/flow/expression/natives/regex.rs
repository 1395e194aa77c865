//! `match` and its relatives: what a regular expression finds in a text, told in characters.

use fancy_regex::Captures;
use jaq_core::Error;
use jaq_core::native::v;
use jaq_json::Val;

use super::super::datum::{Datum, ValR, error};
use super::pattern::{self, Pattern};
use super::{Given, Native, many, one};

pub(super) fn natives() -> Vec<Native> {
    vec![
        ("test", v(1), |given| one(searched(given, 1, test))),
        ("test", v(2), |given| one(searched(given, 2, test))),
        ("match", v(1), |given| many(searched(given, 1, |text, pattern| each(text, pattern, told)))),
        ("match", v(2), |given| many(searched(given, 2, |text, pattern| each(text, pattern, told)))),
        ("capture", v(1), |given| many(searched(given, 1, |text, pattern| each(text, pattern, named)))),
        ("capture", v(2), |given| many(searched(given, 2, |text, pattern| each(text, pattern, named)))),
        ("scan", v(1), |given| many(searched(given, 1, scan))),
        ("scan", v(2), |given| many(searched(given, 2, scan))),
        ("splits", v(1), |given| many(searched(given, 1, split))),
        ("splits", v(2), |given| many(searched(given, 2, split))),
        ("split", v(2), |given| one(searched(given, 2, |text, pattern| Ok(split(text, pattern)?.into_iter().collect())))),
        ("matched_parts", v(2), |given| one(searched(given, 2, parts))),
        ("woven", v(1), |mut given| {
            let original = given.0.pop_var();
            many(weave(&given.1, original))
        }),
    ]
}

/// Gives the input and the pattern of the arguments to a search. One argument may be a list of the pattern and its flags.
fn searched<T>(
    mut given: Given<'_>,
    arguments: usize,
    search: impl FnOnce(&str, Pattern) -> Result<T, Error<Datum>>,
) -> Result<T, Error<Datum>> {
    let flags = if arguments > 1 { given.0.pop_var() } else { Datum::default() };
    let asked = given.0.pop_var();
    let (asked, flags) = match &asked.0 {
        Val::Arr(both) if arguments == 1 => {
            let at = |index: usize| Datum(both.get(index).cloned().unwrap_or_default());
            (at(0), at(1))
        }
        Val::TStr(_) | Val::BStr(_) => (asked, flags),
        _ if arguments == 1 => return Err(error(format!("{} not a string or array", asked.kind()))),
        _ => return Err(error(format!("{} cannot be matched, as it is not a string", asked.told()))),
    };
    let (Val::TStr(text) | Val::BStr(text)) = &given.1.0 else {
        return Err(error(format!("{} cannot be matched, as it is not a string", given.1.told())));
    };
    let text = String::from_utf8_lossy(text);
    search(&text, pattern::of(&asked, &flags, text.ends_with('\n'))?)
}

fn failed(why: fancy_regex::Error) -> Error<Datum> {
    error(format!("the regular expression cannot be matched: {why}"))
}

fn test(text: &str, pattern: Pattern) -> ValR {
    pattern.regex.is_match(text).map(Datum::from).map_err(failed)
}

/// Where a match stands: in which text, after how many characters.
#[derive(Clone, Copy)]
struct Place<'t> {
    text: &'t str,
    characters: usize,
}

impl Place<'_> {
    /// After how many characters a byte stands, of a match that begins at another.
    fn of(self, byte: usize, start: usize) -> usize {
        let between = self.text.get(byte.min(start)..byte.max(start)).map_or(0, length);
        if byte >= start { self.characters + between } else { self.characters.saturating_sub(between) }
    }
}

/// What is made of each match.
fn each<T>(
    text: &str,
    pattern: Pattern,
    mut make: impl FnMut(&Captures<'_, str>, &Pattern, Place<'_>) -> Result<T, Error<Datum>>,
) -> Result<Vec<T>, Error<Datum>> {
    let (mut made, mut from, mut counted, mut characters) = (Vec::new(), 0, 0, 0);
    while let Some(found) = pattern.regex.captures_from_pos(text, from).map_err(failed)? {
        let Some(whole) = found.get(0) else { break };
        // Every character is counted once, however many matches there are.
        characters += text.get(counted..whole.start()).map_or(0, length);
        counted = counted.max(whole.start());
        made.push(make(&found, &pattern, Place { text, characters })?);
        let empty = whole.start() == whole.end();
        from = whole.end() + if empty { text[whole.end()..].chars().next().map_or(1, char::len_utf8) } else { 0 };
        if !pattern.global || from > text.len() {
            break;
        }
    }
    Ok(made)
}

fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

fn map<const N: usize>(entries: [(&'static str, Datum); N]) -> Datum {
    Datum(Val::obj(entries.into_iter().map(|(name, value)| (Val::utf8_str(name), value.0)).collect()))
}

/// A match as `match` tells it.
fn told(found: &Captures<'_, str>, pattern: &Pattern, place: Place<'_>) -> ValR {
    let start = found.get(0).map_or(0, |whole| whole.start());
    let groups = found.iter().zip(pattern.regex.capture_names()).skip(1);
    let captures = groups.map(|(group, name)| {
        let [offset, first, second] = group_told(group, start, place);
        map([offset, first, second, ("name", name.map_or_else(Datum::default, Datum::text))])
    });
    let captures = captures.collect();
    let [offset, length, string] = group_told(found.get(0), start, place);
    Ok(map([offset, length, string, ("captures", captures)]))
}

/// A group as `match` tells it: -1 and null where it has no part in the match.
fn group_told(group: Option<fancy_regex::Match<'_>>, start: usize, place: Place<'_>) -> [(&'static str, Datum); 3] {
    let Some(group) = group else {
        return [("offset", Datum::from(-1_isize)), ("string", Datum::default()), ("length", Datum::from(0_usize))];
    };
    [
        ("offset", Datum::from(place.of(group.start(), start))),
        ("length", Datum::from(length(group.as_str()))),
        ("string", Datum::text(group.as_str())),
    ]
}

fn string_of(group: Option<fancy_regex::Match<'_>>) -> Datum {
    group.map_or_else(Datum::default, |group| Datum::text(group.as_str()))
}

/// The named groups of a match as a map.
fn named(found: &Captures<'_, str>, pattern: &Pattern, _: Place<'_>) -> ValR {
    let groups = found.iter().zip(pattern.regex.capture_names());
    let entries = groups.filter_map(|(group, name)| Some((Val::utf8_str(name?.to_owned()), string_of(group).0)));
    Ok(Datum(Val::obj(entries.collect())))
}

fn scan(text: &str, pattern: Pattern) -> Result<Vec<Datum>, Error<Datum>> {
    each(text, Pattern { global: true, ..pattern }, |found, _, _| {
        Ok(if found.len() > 1 { found.iter().skip(1).map(string_of).collect() } else { string_of(found.get(0)) })
    })
}

/// Where every match begins and ends.
fn spans(text: &str, pattern: Pattern) -> Result<Vec<(usize, usize)>, Error<Datum>> {
    each(text, pattern, |found, _, _| Ok(found.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()))))
}

fn split(text: &str, pattern: Pattern) -> Result<Vec<Datum>, Error<Datum>> {
    let mut from = 0;
    let mut pieces = Vec::new();
    for (start, end) in spans(text, Pattern { global: true, ..pattern })? {
        pieces.push(Datum::text(text.get(from..start).unwrap_or_default()));
        from = end;
    }
    pieces.push(Datum::text(&text[from..]));
    Ok(pieces)
}

/// A text in parts: what stands before each match, and the match's named groups, in turn, and the rest.
fn parts(text: &str, pattern: Pattern) -> ValR {
    let mut from = 0;
    let found = each(text, pattern, |found, pattern, place| {
        let (start, end) = found.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
        let before = Datum::text(text.get(from..start).unwrap_or_default());
        from = end;
        Ok([before, named(found, pattern, place)?])
    })?;
    Ok(found.into_iter().flatten().chain([Datum::text(&text[from..])]).collect())
}

/// The texts that come of such parts with lists of replacements for their groups: one for each replacement.
fn weave(parts: &Datum, original: Datum) -> Result<Vec<Datum>, Error<Datum>> {
    let Val::Arr(parts) = &parts.0 else { return Ok(vec![original]) };
    let text = |part: &Val| match part {
        Val::TStr(text) | Val::BStr(text) => Ok(String::from_utf8_lossy(text).into_owned()),
        Val::Null => Ok(String::new()),
        other => Err(error(format!("{} cannot be added to a string", Datum(other.clone()).told()))),
    };
    let mut woven: Vec<String> = Vec::new();
    for pair in parts.chunks(2) {
        let before = text(&pair[0])?;
        match pair.get(1) {
            Some(Val::Arr(replacements)) => {
                woven.resize(woven.len().max(replacements.len()), String::new());
                for (so_far, replacement) in woven.iter_mut().zip(replacements.iter()) {
                    so_far.push_str(&before);
                    so_far.push_str(&text(replacement)?);
                }
            }
            Some(_) | None => woven.iter_mut().for_each(|so_far| so_far.push_str(&before)),
        }
    }
    Ok(if woven.is_empty() { vec![original] } else { woven.into_iter().map(Datum::text).collect() })
}
