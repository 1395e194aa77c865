//! What is told of a request that is none of those that a suite expects next.

use super::exchange::{self, Sent};
use super::judging::Judging;
use super::nearness::nearest;
use super::script::{Member, Script};
use super::{body, exchange::difference};
use crate::model::Failure;

/// How many exchanges that come at another time are looked at.
const MOST: usize = 200;

/// What schemas and assertions find wrong with a request that otherwise is as expected: each with the key, and the entry of a list.
pub(super) fn unruly(member: &Member<'_>, sent: &Sent<'_>, judging: Judging<'_>) -> Vec<(&'static str, Option<usize>, String)> {
    let expected = member.request;
    let mut unruly = Vec::new();
    if let Some(schema) = &expected.body_schema {
        let flaws = member.rules.flaws(schema, judging, &body::read(sent.request));
        unruly.extend(flaws.into_iter().map(|flaw| ("bodySchema", None, format!("the body does not fit its schema: {flaw}"))));
    }
    if !expected.assert.is_empty() {
        let unheld = member.rules.unheld(&expected.assert, judging, sent.whole());
        unruly.extend(unheld.into_iter().map(|(index, told)| ("assert", Some(index), told)));
    }
    unruly
}

/// How a request differs from the nearest of those that are expected.
pub(super) fn failures(script: &Script<'_>, sent: &Sent<'_>, judging: Judging<'_>) -> Vec<Failure> {
    let (number, most) = (script.came() + 1, script.expected());
    let Some(near) = nearest(script.outstanding(), sent) else {
        let others = match most {
            0 => "none is".to_owned(),
            1 => "only 1 is".to_owned(),
            _ => format!("only {most} are"),
        };
        let told = format!("request {number} is not expected, {others}:\n{}", exchange::shown(sent.request));
        let same = script.before().take(MOST).find(|member| sent.fits(member.request));
        let Some(same) = same else { return vec![told.into()] };
        let failure = script
            .at(same, |spot| spot.fails(format!("{told}\nOne like it is expected here, and has come; `times` tells how often it comes.")));
        return vec![failure];
    };
    let what = match script.outstanding().len() {
        1 => format!("request {number} of {most} is not as expected"),
        several => format!("request {number} of {most} is none of the {several} that can be next; this is the nearest"),
    };
    if let Some((difference, key)) = difference(sent.aspects(near.request)) {
        let later = script.later().iter().take(MOST).find(|member| sent.fits(member.request));
        let later = later.map(|member| script.at(member, |spot| format!("\nIt is as expected later, at {}.", spot.place())));
        let told = format!("{what}:\n{difference}{}", later.unwrap_or_default());
        return vec![script.at(near, |spot| match key {
            Some(key) => spot.key("request").key(key).fails(told),
            None => spot.key("request").fails(told),
        })];
    }
    let unruly = unruly(near, sent, judging);
    let failures = unruly.into_iter().map(|(key, index, told)| {
        script.at(near, |spot| {
            let (request, told) = (spot.key("request"), format!("{what}: {told}"));
            match index {
                None => request.key(key).fails(told),
                Some(index) => request.key(key).index(index).fails(told),
            }
        })
    });
    failures.collect()
}
