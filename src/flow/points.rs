//! What of a connector's flows can be exercised: listed while they are parsed, each with the number by which a run tells that it came there.

use super::finding::{About, At};
use super::program::Target;
use crate::manifest::{Document, MANIFEST, cut};
use crate::model::{CoveragePoint, CoveragePointKind, Place};

/// How many points one connector has at most: a hostile manifest holds very many.
const MOST: usize = 10_000;
/// How long what is told of a point may be, in characters.
const LONGEST: usize = 200;

/// The number of a point, by its place among those of its connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point(pub usize);

/// One point, by pointer.
#[derive(Debug)]
struct Listed {
    kind: CoveragePointKind,
    target: String,
    what: String,
    pointer: String,
    about: About,
}

/// The points found so far.
#[derive(Debug, Default)]
pub(crate) struct Points {
    listed: Vec<Listed>,
    /// The flow that is being parsed.
    pub(crate) target: String,
    /// The task that is being parsed.
    pub(crate) task: String,
}

impl Points {
    /// Begins with the points of a flow, whose tasks stand at this pointer: the first is that it is run at all.
    pub(crate) fn of_flow(&mut self, target: &Target, tasks: &str) -> Point {
        self.target = target.to_string();
        let kind = match target {
            Target::Action(_) => CoveragePointKind::Action,
            Target::Trigger(_) | Target::Subscribe(_) | Target::Unsubscribe(_) => CoveragePointKind::Trigger,
            Target::TestConnection => CoveragePointKind::TestConnection,
        };
        let flow = tasks.strip_suffix("/do").unwrap_or(tasks);
        self.at_key(kind, &At::base(flow), |_| "the flow".to_owned())
    }

    /// Lists a point at a value.
    pub(crate) fn at(&mut self, kind: CoveragePointKind, at: &At<'_>, what: impl FnOnce(&str) -> String) -> Point {
        self.add(kind, at, About::Value, what)
    }

    /// Lists a point at a key.
    pub(crate) fn at_key(&mut self, kind: CoveragePointKind, at: &At<'_>, what: impl FnOnce(&str) -> String) -> Point {
        self.add(kind, at, About::Key, what)
    }

    fn add(&mut self, kind: CoveragePointKind, at: &At<'_>, about: About, what: impl FnOnce(&str) -> String) -> Point {
        let number = self.listed.len();
        if number < MOST {
            let (target, what) = (cut(&self.target, LONGEST), cut(&what(&self.task), LONGEST));
            self.listed.push(Listed { kind, target, what, pointer: at.pointer(), about });
        }
        Point(number)
    }

    /// All of them with their places, by their numbers. Nothing is covered yet.
    pub(crate) fn located(&self, document: &Document) -> Vec<CoveragePoint> {
        let located = self.listed.iter().map(|listed| {
            let place = match listed.about {
                About::Key => document.key_place(&listed.pointer),
                About::Value => document.place(&listed.pointer),
            };
            CoveragePoint {
                kind: listed.kind,
                target: listed.target.clone(),
                what: listed.what.clone(),
                place: Place { file: MANIFEST.to_owned(), ..place },
                covered: false,
            }
        });
        located.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::flow::Program;
    use crate::manifest::Bundle;
    use crate::model::{BundleFiles, Coverage};

    const MANIFEST: &str = r#"apiVersion: switchboard/v1
name: all
title: All
description: Has everything.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: https://api.example.com
  errors: [{ status: 401, raise: denied }]
  test: { do: [{ me: { call: request, with: { method: get, path: /me } } }] }
actions:
  one:
    do:
      - route:
          switch:
            - open: { when: .open, then: fetch }
            - closed: { when: .closed, then: end }
      - fetch:
          if: .wanted
          try:
            - read:
                call: request
                with:
                  method: get
                  path: /items
                  paginate: { next: .content.next, maxItems: "${ .limit }", truncate: true }
                  errors:
                    - { status: 404, raise: gone }
          catch:
            retry: { limit: { attempt: { count: 1 } } }
            do: [{ none: { set: { items: [] } } }]
      - last:
          switch:
            - some: { when: .some, then: end }
            - other: { then: end }
  hidden:
    visibility: private
    do:
      - try:
          try: [{ read: { call: request, with: { method: get, path: /, paginate: { link: next, maxPages: 1 } } } }]
          catch: { retry: { limit: { attempt: { count: 1 } } } }
  unmade: { title: Unmade }
triggers:
  made:
    on:
      webhook:
        path: /made
        subscribe: { do: [{ ask: { set: {} } }] }
        unsubscribe: { do: [{ end: { try: [{ a: { set: {} } }], catch: { errors: { with: { status: 404 } } } } }] }
    do: [{ tell: { emit: { event: { with: { type: made } } } } }]
errors:
  denied: { status: 401, title: Denied }
  gone: { status: 404, title: Gone }
"#;

    #[test]
    fn everything_that_can_be_exercised_is_listed_at_its_place() {
        let files = BundleFiles::new(BTreeMap::from([("connector.yaml".to_owned(), MANIFEST.as_bytes().to_vec())]));
        let bundle = Bundle::read("all", &files).unwrap();
        let points = Program::compile(&bundle).unwrap().points(&bundle.document);
        let lines = Coverage { points }.in_order().points.into_iter().map(|point| {
            assert!(!point.covered);
            format!("{} {:?} {}: {}\n", point.place, point.kind, point.target, point.what)
        });
        insta::assert_snapshot!(lines.collect::<String>(), @r"
        connector.yaml:11:12 ErrorMapping connection: the mapping to `denied`
        connector.yaml:12:3 TestConnection connection/test: the flow
        connector.yaml:14:3 Action actions/one: the flow
        connector.yaml:16:9 Branch actions/one: `route` where no branch fits
        connector.yaml:18:15 Branch actions/one: the branch `open` of `route`
        connector.yaml:19:15 Branch actions/one: the branch `closed` of `route`
        connector.yaml:21:15 Branch actions/one: `fetch` where its `if` is true
        connector.yaml:21:15 Branch actions/one: `fetch` skipped by its `if`
        connector.yaml:28:19 Pagination actions/one: a further page of `read`
        connector.yaml:28:19 Pagination actions/one: the last page of `read`
        connector.yaml:28:19 Pagination actions/one: a cut at the limit of `read`
        connector.yaml:30:23 ErrorMapping actions/one: the mapping to `gone` in `read`
        connector.yaml:31:11 Catch actions/one: another attempt at `fetch`
        connector.yaml:31:11 Catch actions/one: an error caught by `fetch`
        connector.yaml:36:15 Branch actions/one: the branch `some` of `last`
        connector.yaml:37:15 Branch actions/one: the branch `other` of `last`
        connector.yaml:38:3 Action actions/hidden: the flow
        connector.yaml:42:72 Pagination actions/hidden: the last page of `read`
        connector.yaml:43:11 Catch actions/hidden: another attempt at `try`
        connector.yaml:46:3 Trigger triggers/made: the flow
        connector.yaml:50:9 Trigger triggers/made/subscribe: the flow
        connector.yaml:51:9 Trigger triggers/made/unsubscribe: the flow
        connector.yaml:51:65 Catch triggers/made/unsubscribe: an error caught by `end`
        ");
    }
}
