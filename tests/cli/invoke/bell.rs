//! A connector with a trigger of each kind, for what no example does.

use switchboard::store::{ConnectionName, Database, SqlStore, TriggerKey};

use crate::support::command::Team;
use crate::support::daemon::Daemon;
use crate::support::http::Service;

pub const SECRET: &str = "ring the s3cret bell";

const MANIFEST: &str = r#"
apiVersion: switchboard/v1
name: bell
title: Bell
description: Tells when it is rung.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: https://api.example.com
  properties:
    secret: { title: Secret, type: string, secret: true }
  authentication:
    bearer: { token: "${ $connection.secret }" }
triggers:
  rung:
    title: Rung
    description: Tells of each ring.
    on:
      webhook:
        path: /rings
        method: [post, put]
        verify: { hmac: { secret: "${ $connection.secret }", header: X-Signature } }
        respond: { status: 200, headers: { X-Ring: "${ .body.id }" }, body: { taken: "${ .body.id }" } }
    input: { type: object, additionalProperties: false, properties: { only: { type: string } } }
    output: { type: object, required: [id], properties: { id: { type: string } } }
    deduplicateBy: .id
    do:
      - spin:
          if: ${ .body.spin == true }
          set: { x: "${ def f: f; f }" }
      - ask:
          if: ${ .body.ask == true }
          call: request
          with: { method: get, path: /ask }
          output: { as: "${ $input }" }
      - ring:
          if: ${ .input.only == null or .input.only == .body.id }
          emit: { event: { with: { type: bell.rung, data: "${ .body | { id } }" } } }
  asked:
    title: Asked for
    description: Asks the service for rings, which asks back.
    on:
      webhook:
        path: /asked
        verify: { token: { header: X-Token, value: "${ .subscription.token }" } }
        challenge: { when: .query.challenge != null, respond: { body: "${ .query.challenge }" } }
        subscribe:
          do:
            - create:
                call: request
                with: { method: post, path: /subscriptions, body: { to: "${ .callbackUrl }", known: "${ .subscription }" } }
        unsubscribe:
          do:
            - delete:
                call: request
                with: { method: delete, path: "/subscriptions/${ .subscription.id }" }
    do:
      - ring: { emit: { event: { with: { type: bell.rung, data: "${ .body }" } } } }
  polled:
    title: Polled
    description: Asks for rings every second.
    on:
      schedule: { every: PT1S }
    cursor: .next
    deduplicateBy: .id
    do:
      - read:
          call: request
          with: { method: get, path: /rings, query: { after: "${ .cursor }" } }
      - tell:
          for: { each: ring, in: "${ .rings }" }
          do:
            - ring: { emit: { event: { with: { type: bell.rung, data: "${ $ring }" } } } }
          output: { as: "${ { next: $input.next } }" }
"#;

/// A team that has the connector, and its secret in a variable.
pub fn team() -> Team {
    let team = Team::new();
    team.write("connectors/bell/connector.yaml", MANIFEST.trim_start());
    team.write("connections/test/bell.yaml", "secret: { env: CONNECTION_BELL_SECRET }\n");
    team
}

/// The store of a team.
pub async fn store(team: &Team) -> SqlStore {
    SqlStore::new(&Database::open(&team.path(".switchboard/switchboard.db")).await.unwrap())
}

/// What a trigger's state in the test environment belongs to.
pub fn key(trigger: &str) -> TriggerKey {
    let connection = ConnectionName::Environment("test".parse().unwrap());
    TriggerKey { connection, connector: "bell".parse().unwrap(), trigger: trigger.to_owned() }
}

/// The arguments that run a trigger against a service.
pub fn arguments(service: &Service, trigger: &str, more: &[&str]) -> Vec<String> {
    let mapping = format!("api.example.com={}", service.url(""));
    let arguments = ["invoke", "bell", "--trigger", trigger, "--environment", "test", "--map-host", &mapping];
    arguments.iter().chain(more).map(|&argument| argument.to_owned()).collect()
}

/// Starts a trigger that goes on, and waits until it does.
pub fn start(team: &Team, service: &Service, trigger: &str, more: &[&str]) -> Daemon {
    let arguments = arguments(service, trigger, more);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ready = if trigger == "polled" { "Polling by the schedule" } else { "Listening at http://127.0.0.1:" };
    Daemon::start_with(team, &arguments, &[("CONNECTION_BELL_SECRET", SECRET)], ready)
}
