//! Secrets stay where they belong: in requests. What would show one is told before a run redacts it.

use super::codes::{SECRET_SHOWN, SECRETS_UNFOLLOWED};
use super::findings::Findings;
use crate::flow::finding::At;
use crate::flow::{End, Program};
use crate::manifest::Visibility;

const HINT: &str =
    "Keep secrets to requests: name the fields that are to be shown, such as `{ id: .id }`, or take the secret out with `del(…)`.";

pub(super) fn check(findings: &mut Findings<'_>, program: &Program) {
    let leaks = program.leaks();
    for leak in leaks.found {
        if is_inside(findings, &leak.end) {
            continue;
        }
        let place = findings.value(&At::base(&leak.pointer));
        let message = format!("the secret `{}` can reach {}, where it is redacted", leak.secret, leak.end);
        findings.advised(SECRET_SHOWN, place, message, HINT);
    }
    if leaks.unfinished {
        let place = findings.key(&At::base("/connection/properties"));
        let message = "the flows are too intertwined to tell where the connection's secrets can get";
        findings.advised(SECRETS_UNFOLLOWED, place, message, "Split actions that call each other, and long expressions.");
    }
}

/// Whether only the connector's own flows see it.
fn is_inside(findings: &Findings<'_>, end: &End) -> bool {
    match end {
        End::Output(name) => findings.bundle.manifest.actions.get(name).is_some_and(|action| action.visibility == Visibility::Private),
        End::TestOutput | End::Event(_) | End::Error(_) | End::Cursor(_) | End::Remembered(_) | End::Subscription(_) | End::Answer(_) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    const FLOW: &str = "get: { call: request, with: { method: get, path: \"/things/{id}\" } }";

    /// What is told of the sample's action with these tasks.
    fn told(tasks: &str) -> Vec<String> {
        let found = sample::problems(|sample| sample.replace(&format!("- {FLOW}"), tasks));
        assert!(found.iter().all(|problem| !problem.is_error()), "{found:#?}");
        found
            .iter()
            .map(|problem| format!("{} {}:{} {}", problem.code, problem.place.line, problem.place.column, problem.message))
            .collect()
    }

    fn leaks(task: &str) -> bool {
        let told = told(&format!("- {task}"));
        assert!(told.iter().all(|told| told.starts_with("SB221") && told.contains("the secret `token` can reach")), "{task}: {told:?}");
        !told.is_empty()
    }

    #[test]
    fn a_secret_in_an_output_is_told_with_its_place() {
        assert_eq!(
            told("- a: { set: { id: 1, key: \"${ $connection.token }\" } }"),
            ["SB221 29:33 the secret `token` can reach the output of the action `get-thing`, where it is redacted"]
        );
        assert_eq!(
            told("- a: { set: { id: 1 }, export: { as: \"{ key: $connection.token }\" } }\n      - b: { set: \"${ {a: $context.key} }\" }"),
            ["SB221 29:44 the secret `token` can reach the output of the action `get-thing`, where it is redacted"]
        );
    }

    #[test]
    fn whatever_is_made_of_a_secret_is_one() {
        for expression in [
            "$connection",
            "{a: $connection.token}",
            "{a: [$connection.token[0:3]]}",
            "{a: (\"Bearer \\($connection.token)\" | @base64)}",
            "$connection | to_entries",
            "{($connection.token): 1}",
            "$connection as {$token} | {a: $token}",
            "$connection as {token: $it} | {a: ($it | ascii_downcase | split(\"-\") | map(ltrimstr(\"x\")))}",
            "reduce (1, 2) as $x ({}; . + {a: $connection.token})",
            "foreach (1, 2) as $x ({}; .b = .a | .a = $connection.token; {c: .b})",
            "def f($x): {a: $x}; f($connection.token)",
            "def f: $connection.token; {a: f}",
            "if .id == 1 then $connection else {} end",
            "try error($connection.token) catch {a: .}",
            "{a: ($connection.token // \"none\")}",
            ". + $connection",
            ".a.b = $connection.token",
            ".a |= $connection.token",
            "{a: [limit(1; $connection.token)]}",
            "{a: ($connection | .[.region])}",
            "$connection | with_entries(select(.key != \"region\"))",
            "$connection | pick(.token)",
            "{a: {b: {c: $connection}}} | del(.a.b.c.region)",
        ] {
            assert!(leaks(&format!("a: {{ set: '${{ {expression} }}' }}")), "{expression}");
        }
    }

    #[test]
    fn what_only_tells_something_of_a_secret_is_none() {
        for expression in [
            "{a: $connection.region}",
            "{a: ($connection.token | length)}",
            "{a: ($connection.token == .id), b: ($connection.token | type), c: ($connection | has(\"token\"))}",
            "{a: ($connection.token | test(\"^x\") | not)}",
            "if $connection.token | startswith(\"x\") then {a: 1} else {a: 2} end",
            "$connection | keys",
            "$connection | del(.token)",
            "$connection | del(.region, .token)",
            "$connection | .token = \"hidden\"",
            "$connection | {region}",
            "$connection | pick(.region)",
            "{a: {b: $connection.token, c: 1}} | {c: .a.c}",
            "[{id: .id, t: $connection.token}] | {all: map({id})}",
            "$connection as {$region} | {$region}",
            "def f: length; {a: 1} | {a: f}",
        ] {
            assert!(!leaks(&format!("a: {{ set: '${{ {expression} }}' }}")), "{expression}");
        }
    }

    #[test]
    fn secrets_are_followed_from_task_to_task() {
        let set = "- s: { set: { id: 1, t: \"${ $connection.token }\" } }\n      - ";
        let after = |task: &str| {
            let told = told(&format!("{set}{task}"));
            assert!(told.iter().all(|told| told.starts_with("SB221 29:31")), "{task}: {told:?}");
            !told.is_empty()
        };
        for task in [
            "a: { wait: PT1S }",
            "a: { do: [{ b: { set: \"${ . }\" } }] }",
            "a: { switch: [{ x: { when: .id == 1, then: end } }] }\n      - b: { set: {} }",
            "a: { for: { each: x, in: \"[.t]\" }, do: [{ b: { set: { y: \"${ $x }\" } } }] }",
            "a: { for: { each: x, in: \"[1, 2]\" }, do: [{ b: { set: \"${ {k: .t, t: .k} }\" } }] }",
            "a: { fork: { branches: [{ b: { set: { y: 1 } } }, { c: { set: \"${ .t }\" } }] } }",
            "a: { try: [{ b: { raise: { error: not-found } } }], catch: { do: [{ c: { set: \"${ .t }\" } }] } }",
            "a: { if: .id == 1, set: { a: 1 } }",
            "a: { set: { a: 1 }, output: { as: $task.input } }",
            "a: { set: { a: 1 }, output: { as: $input.t } }",
            "a: { set: { a: 1 }, input: { from: .t }, output: { as: $input } }",
            "a: { set: { a: 1 }, export: { as: $input } }\n      - b: { set: { b: \"${ $context.t }\" } }",
            "a: { raise: { error: { type: x, status: 400, detail: \"no ${ .t }\" } } }",
            "a: { call: request, with: { method: get, path: /a, headers: { X-T: \"${ .t }\" }, output: response } }",
            "a: { call: request, with: { method: get, path: \"/a/{t}\", output: response } }",
            "a: { call: request, with: { method: get, path: /, errors: [{ status: 404, raise: not-found, detail: \"${ $task.input.t }\" }] } }",
        ] {
            let told = told(&format!("{set}{task}"));
            assert!(told.iter().any(|told| told.starts_with("SB221 29:31")), "{task}: {told:?}");
        }
        for task in [
            "a: { set: { a: \"${ .id }\" } }",
            "a: { call: request, with: { method: post, path: \"/a/{t}\", headers: { X-T: \"${ .t }\" }, query: { t: \"${ .t }\" }, body: \"${ . }\" } }",
            "a: { call: request, with: { method: get, path: /a, headers: { X-T: \"${ .t }\" }, output: response }, output: { as: .content } }",
            "a: { for: { each: x, in: \"[.t]\" }, do: [{ b: { set: { y: 1 } } }] }\n      - b: { set: { a: 1 } }",
            "a: { switch: [{ x: { when: .t == \"a\", then: end } }, { y: { then: b } }] , input: { from: \"{a: .id, t: .t}\" }, output: { as: \"{a: .a}\" } }\n      - b: { wait: PT1S }",
            "a: { raise: { error: { type: x, status: 400, detail: \"no ${ .id }\" } } }",
        ] {
            assert!(!after(task), "{task}");
        }
    }

    #[test]
    fn credentials_are_given_back_with_the_request_and_by_authorization() {
        assert!(leaks("a: { call: request, with: { method: get, path: /a, output: response } }"));
        assert!(!leaks("a: { call: request, with: { method: get, path: /a, output: response }, output: { as: .content } }"));
        assert!(leaks("a: { call: request, with: { method: get, path: /a }, output: { as: $authorization } }"));
        assert!(!leaks("a: { call: request, with: { method: get, path: /a }, output: { as: $authorization.scheme } }"));
    }

    #[test]
    fn secrets_are_followed_through_actions_that_call_each_other() {
        let with_inner = |inner: &str, outer: &str| {
            let private = format!(
                "actions:\n  inner:\n    visibility: private\n    input: {{ type: object }}\n    output: {{ type: object }}\n    do: [{{ a: {inner} }}]\n"
            );
            let found = sample::problems(|sample| {
                sample.replace("actions:\n", &private);
                sample.replace(FLOW, outer);
            });
            found.iter().map(|problem| format!("{} {}", problem.code, problem.message)).collect::<Vec<_>>()
        };
        let told = ["SB221 the secret `token` can reach the output of the action `get-thing`, where it is redacted"];
        let secret = "{ set: { t: \"${ $connection.token }\", u: 1 } }";
        assert_eq!(with_inner(secret, "b: { call: inner }"), told);
        assert_eq!(with_inner(secret, "b: { call: inner, output: { as: .u } }"), Vec::<String>::new(), "it stays inside");
        let same = "{ set: \"${ {x: .y, z: 1} }\" }";
        assert_eq!(with_inner(same, "b: { call: inner, with: { y: \"${ $connection.token }\" } }"), told);
        assert_eq!(with_inner(same, "b: { call: inner, with: { z: \"${ $connection.token }\" } }"), Vec::<String>::new());
        let round = "{ call: inner, if: .n > 0, with: { n: 0, y: \"${ .t }\", t: \"${ $connection.token }\" } }";
        assert_eq!(with_inner(round, "b: { call: inner, with: { n: 2 } }"), told, "once around");
        let error = "{ raise: { error: { type: x, status: 400, detail: \"${ .y }\" } } }";
        let told = ["SB221 the secret `token` can reach an error of actions/inner, where it is redacted"];
        assert_eq!(with_inner(error, "b: { call: inner, with: { y: \"${ $connection.token }\" } }"), told);
    }

    #[test]
    fn everything_that_a_trigger_shows_counts() {
        let webhook = "on: { webhook: { path: /things } }";
        let emit = "emit: { event: { with: { type: thing.made, data: \"${ .body }\" } } }";
        let told = |old: &str, new: &str| {
            let found = sample::problems(|sample| sample.replace(old, new));
            found
                .iter()
                .map(|problem| format!("{} {}:{} {}", problem.code, problem.place.line, problem.place.column, problem.message))
                .collect::<Vec<_>>()
        };
        let reach = |what: &str| format!("can reach {what} the trigger `thing-made`, where it is redacted");
        let all = told(emit, &emit.replace(".body", "{a: $connection.token}"));
        assert_eq!(all, [format!("SB221 39:66 the secret `token` {}", reach("an event of"))]);
        let subscribe = "{ do: [{ a: { set: { id: 1, t: \"${ $connection.token }\" } } }] }";
        let all = told(webhook, &format!("on: {{ webhook: {{ path: /things, subscribe: {subscribe} }} }}"));
        assert!(all.iter().any(|told| told.ends_with(&reach("what `subscribe` returns for"))), "{all:?}");
        let verify = "verify: { token: { header: X-T, value: \"${ .subscription.secret }\" } }";
        let emits = |data: &str| {
            let found = sample::problems(|sample| {
                sample.replace(webhook, &format!("on: {{ webhook: {{ path: /things, {verify} }} }}"));
                sample.replace(".body", data);
            });
            found.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()
        };
        assert_eq!(emits(".subscription"), [format!("the secret `subscription.secret` {}", reach("an event of"))]);
        assert_eq!(emits(".subscription.id"), Vec::<String>::new());
        let respond = "on: { webhook: { path: /things, respond: { body: \"${ $connection.token }\" } } }";
        assert_eq!(told(webhook, respond).len(), 1);
        let poll = "on: { schedule: { every: PT5M } }\n    cursor: ${ $connection.token }\n    deduplicateBy: ${ .id + $connection.token }";
        let all = told(webhook, poll);
        assert!(all.iter().filter(|told| told.starts_with("SB221")).count() == 2, "{all:?}");
    }

    #[test]
    fn a_hostile_manifest_takes_no_time_and_no_stack() {
        let nested = format!("{}$connection.token{}", "[".repeat(38), "]".repeat(38));
        let chained = format!("[{}]", vec!["$connection.token"; 380].join(" + "));
        let piped = format!("[{}]", vec!["$connection"; 380].join(" | "));
        for expression in [nested, chained, piped] {
            assert!(leaks(&format!("a: {{ set: '${{ {{a: {expression}}} }}' }}")));
        }
        let calls: String = (0..300)
            .map(|number| {
                let [one, other] = [(number * 7 + 1) % 300, (number * 13 + 5) % 300];
                format!(
                    "  a{number}:\n    visibility: private\n    input: {{}}\n    output: {{}}\n    do:\n      - a: {{ call: a{one}, with: {{ x: \"${{ . }}\", k{number}: \"${{ $connection.token }}\" }} }}\n      - b: {{ call: a{other}, with: {{ y: \"${{ . }}\" }} }}\n"
                )
            })
            .collect();
        let found = sample::problems(|sample| sample.replace("actions:\n", &format!("actions:\n{calls}")));
        assert!(found.iter().any(|problem| problem.code == super::SECRETS_UNFOLLOWED), "{:?}", found.first());
    }
}
