//! A small connector with nothing wrong with it, for the rules' tests to break.

use std::collections::BTreeMap;

use crate::manifest::Bundle;
use crate::model::{BundleFiles, Problem};

const MANIFEST: &str = r##"apiVersion: switchboard/v1
name: sample
title: Sample
description: Shows what a connector is made of.
icon: icon.svg
kind: self-built
version: 1.0.0
status: published
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: https://api.example.com
  properties:
    token: { title: Token, type: string, secret: true }
    region: { title: Region, type: string, enum: [eu, us], default: eu }
  authentication:
    bearer: { token: "${ $connection.token }" }

  test:
    do: [{ whoAmI: { call: request, with: { method: get, path: /me } } }]
actions:
  get-thing:
    title: Get a thing
    description: Looks a thing up by its id.
    input: { type: object, required: [id], properties: { id: { type: string } } }
    output: { $ref: "#/types/Thing" }
    errors: [not-found]
    do:
      - get: { call: request, with: { method: get, path: "/things/{id}" } }

triggers:
  thing-made:
    title: Thing made
    description: Fires for each new thing.
    input: { type: object }
    output: { type: object }
    on: { webhook: { path: /things } }
    do:
      - made: { emit: { event: { with: { type: thing.made, data: "${ .body }" } } } }

types:
  Thing:
    properties:
      name: { type: string }
errors:
  not-found: { status: 404, title: No such thing }
"##;

const SUITE: &str = "title: Everything
connection: { token: t }
cases:
  - title: Gets
    action: get-thing
    input: { id: a }
    expect: { output: { name: x } }
  - title: Listens
    trigger: thing-made
    request: { body: { name: x } }
    expect: { events: [{ type: thing.made }] }
  - title: Connects
    testConnection: true
    expect: { output: {} }
";

/// The connector's texts.
pub(super) struct Sample {
    manifest: String,
    suite: Option<String>,
}

impl Sample {
    /// Replaces the first occurrence of a text in the manifest, which must be there.
    pub(super) fn replace(&mut self, old: &str, new: &str) {
        assert!(self.manifest.contains(old), "the sample's manifest does not hold {old:?}");
        self.manifest = self.manifest.replacen(old, new, 1);
    }

    /// Replaces the first occurrence of a text in the suite, which must be there.
    pub(super) fn replace_in_suite(&mut self, old: &str, new: &str) {
        let suite = self.suite.as_ref().unwrap();
        assert!(suite.contains(old), "the sample's suite does not hold {old:?}");
        self.suite = Some(suite.replacen(old, new, 1));
    }

    /// Removes the suite.
    pub(super) fn without_suite(&mut self) {
        self.suite = None;
    }

    /// Leaves nothing but this manifest.
    pub(super) fn only(&mut self, manifest: &str) {
        *self = Self { manifest: manifest.to_owned(), suite: None };
    }
}

/// The sample as a bundle, after a change.
pub(super) fn bundle(change: impl FnOnce(&mut Sample)) -> Bundle {
    let mut sample = Sample { manifest: MANIFEST.to_owned(), suite: Some(SUITE.to_owned()) };
    change(&mut sample);
    let mut files =
        BTreeMap::from([("connector.yaml".to_owned(), sample.manifest.into_bytes()), ("icon.svg".to_owned(), b"<svg/>".to_vec())]);
    files.extend(sample.suite.map(|suite| ("tests/all.yaml".to_owned(), suite.into_bytes())));
    Bundle::read("sample", &BundleFiles::new(files)).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// What is reported of the sample after a change.
pub(super) fn problems(change: impl FnOnce(&mut Sample)) -> Vec<Problem> {
    super::report(&bundle(change))
}

/// The same in short: code, severity, line and column.
pub(super) fn report(change: impl FnOnce(&mut Sample)) -> Vec<String> {
    let short = |problem: &Problem| format!("{} {} {}:{}", problem.code, problem.severity, problem.place.line, problem.place.column);
    problems(change).iter().map(short).collect()
}
