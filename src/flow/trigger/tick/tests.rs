//! When polls are due, also after pauses, failures and wrong clocks.

use super::super::parse::tests::{trigger, trigger_with};
use super::super::settle::{Marks, Run};
use super::*;

const BEGIN: i64 = 1_790_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + second).unwrap()
}

fn every(overlap: &str) -> Trigger {
    trigger(&json!({ "schedule": { "every": "PT5M", "overlap": overlap } }))
}

/// The second a run is for, if there is to be one now.
fn scheduled(trigger: &Trigger, state: &TriggerState, now: Timestamp) -> Result<i64, Option<i64>> {
    let second = |moment: Timestamp| moment.as_second() - BEGIN;
    match trigger.tick(state, now, 0, &Value::Null) {
        Tick::Run { scheduled, .. } => Ok(second(scheduled)),
        Tick::Wait(moment) => Err(moment.map(second)),
        tick @ (Tick::Skip(_) | Tick::Queue) => panic!("{tick:?}"),
    }
}

fn succeeded(trigger: &Trigger, state: &TriggerState, scheduled: i64, now: i64) -> TriggerState {
    let run = Run { scheduled: Some(at(scheduled)), events: Vec::new(), marks: Marks::default() };
    trigger.settle(state, run, at(now)).unwrap().state
}

#[test]
fn an_interval_is_due_at_once_and_never_drifts() {
    let trigger = every("skip");
    let mut state = trigger.begin(at(0));
    let late = at(0).checked_add(SignedDuration::from_millis(700)).unwrap();
    assert_eq!(scheduled(&trigger, &state, late), Ok(0));
    state = succeeded(&trigger, &state, 0, 20);
    assert_eq!(scheduled(&trigger, &state, at(20)), Err(Some(300)));
    assert_eq!(scheduled(&trigger, &state, at(307)), Ok(300));
    state = succeeded(&trigger, &state, 300, 330);
    assert_eq!(scheduled(&trigger, &state, at(599)), Err(Some(600)));
}

#[test]
fn a_pause_is_made_up_for_once() {
    let trigger = every("skip");
    let state = succeeded(&trigger, &trigger.begin(at(0)), 0, 1);
    assert_eq!(scheduled(&trigger, &state, at(10_000)), Ok(9_900));
    let state = succeeded(&trigger, &state, 9_900, 10_001);
    assert_eq!(scheduled(&trigger, &state, at(10_001)), Err(Some(10_200)));
    // 14:13:20 is the beginning; the line is due on the hour.
    let trigger = trigger_with(&json!({ "on": { "schedule": { "cron": "0 * * * *" } } }));
    let state = trigger.begin(at(0));
    assert_eq!(scheduled(&trigger, &state, at(0)), Err(Some(2_800)));
    assert_eq!(scheduled(&trigger, &state, at(2_800 + 7_200 + 60)), Ok(2_800 + 7_200));
    let state = succeeded(&trigger, &state, 2_800 + 7_200, 2_800 + 7_300);
    assert_eq!(scheduled(&trigger, &state, at(2_800 + 7_300)), Err(Some(2_800 + 10_800)));
}

#[test]
fn a_failed_poll_is_tried_again_later_and_later_from_the_same_state() {
    let trigger = trigger(&json!({ "schedule": { "cron": "0 * * * *" } }));
    let begun = trigger.begin(at(0));
    let mut state = begun.clone();
    let mut now = 2_800;
    for wait in [30, 60, 120, 240, 480] {
        assert_eq!(scheduled(&trigger, &state, at(now)), Ok(2_800));
        state = trigger.fail(&state, Some(at(2_800)), at(now));
        assert_eq!(TriggerState { failure: None, ..state.clone() }, begun);
        assert_eq!(scheduled(&trigger, &state, at(now)), Err(Some(now + wait)));
        now += wait;
    }
    assert_eq!(scheduled(&trigger, &state, at(2_800 + 3_600)), Ok(2_800 + 3_600), "the next moment comes all the same");
    let state = succeeded(&trigger, &state, 2_800 + 3_600, 2_800 + 3_601);
    assert_eq!(state.failure, None);

    let interval = every("skip");
    let failed = interval.fail(&interval.begin(at(0)), Some(at(0)), at(0));
    assert_eq!(scheduled(&interval, &failed, at(29)), Err(Some(30)));
    assert_eq!(scheduled(&interval, &failed, at(30)), Ok(0));
    assert_eq!(scheduled(&interval, &failed, at(301)), Ok(300));
    let mut endless = failed;
    for _ in 0..100 {
        endless = interval.fail(&endless, Some(at(0)), at(0));
    }
    assert_eq!(endless.failure.unwrap().retry_at, at(3_600));
}

#[test]
fn runs_that_would_overlap_are_left_out_queued_or_allowed() {
    for (overlap, tick) in [("skip", Tick::Skip(at(300))), ("queue", Tick::Queue)] {
        let trigger = every(overlap);
        let mut state = succeeded(&trigger, &trigger.begin(at(0)), 0, 1);
        assert_eq!(trigger.tick(&state, at(300), 1, &Value::Null), tick);
        if overlap == "skip" {
            state.skip(at(300));
            assert_eq!(trigger.tick(&state, at(301), 1, &Value::Null), Tick::Wait(Some(at(600))));
            assert_eq!(succeeded(&trigger, &state, 0, 302).last_scheduled, Some(at(300)), "what was left out stays left out");
        }
    }
    let trigger = every("allow");
    let state = succeeded(&trigger, &trigger.begin(at(0)), 0, 1);
    assert!(matches!(trigger.tick(&state, at(300), 9, &Value::Null), Tick::Run { .. }));
}

#[test]
fn a_clock_that_was_wrong_stops_nothing() {
    let year = 31_536_000;
    for on in [json!({ "schedule": { "every": "PT5M" } }), json!({ "schedule": { "cron": "*/5 * * * *" } })] {
        let trigger = trigger(&on);
        let mut state = succeeded(&trigger, &trigger.begin(at(year)), year, year);
        let slot = scheduled(&trigger, &state, at(0)).unwrap();
        assert!((-300..=0).contains(&slot), "{on}: {slot}");
        state = succeeded(&trigger, &state, slot, 1);
        assert_eq!(scheduled(&trigger, &state, at(1)), Err(Some(slot + 300)), "{on}");
        let failed = TriggerState { failure: Some(failed(None, at(year), at(year))), ..trigger.begin(at(year)) };
        assert!(scheduled(&trigger, &failed, at(0)).is_ok(), "{on}");
    }
}

#[test]
fn a_poll_that_somebody_wants_goes_on_from_the_cursor_and_counts() {
    let trigger = trigger_with(&json!({ "on": { "schedule": { "every": "PT5M" } }, "cursor": ".next" }));
    let before = succeeded(&trigger, &trigger.begin(at(0)), 0, 1);
    let state = TriggerState { cursor: json!("c1"), ..before };
    let (moment, input) = trigger.poll_now(&state, at(100), &json!(7));
    assert_eq!((moment, input), (at(100), json!({ "scheduledAt": at(100).to_string(), "cursor": "c1", "input": 7 })));
    assert_eq!(scheduled(&trigger, &succeeded(&trigger, &state, 100, 101), at(101)), Err(Some(400)));
}

#[test]
fn a_poll_begins_from_its_moment_the_cursor_and_the_parameters() {
    let trigger = trigger_with(&json!({ "on": { "schedule": { "every": "PT5M" } }, "cursor": ".next" }));
    let state = TriggerState { cursor: json!("c1"), ..trigger.begin(at(0)) };
    let Tick::Run { input, .. } = trigger.tick(&state, at(0), 0, &json!({ "repo": "x" })) else { panic!("it must run") };
    assert_eq!(input, json!({ "scheduledAt": "2026-09-21T14:13:20Z", "cursor": "c1", "input": { "repo": "x" } }));
    assert_eq!(
        super::super::parse::tests::trigger(&json!({ "webhook": { "path": "/a" } })).tick(&state, at(0), 0, &Value::Null),
        Tick::Wait(None)
    );
}
