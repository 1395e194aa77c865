//! Secrets are shown to nobody, whatever the service makes of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{GET, MANIFEST, SECRET, invoke, team};
use crate::support::command::Ran;
use crate::support::http::{Answer, Received, Service};

/// Every way in which a service may say the secret again.
fn echoes(request: &Received) -> serde_json::Value {
    let urlencoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    json!({
        "headers": request.headers,
        "plain": SECRET,
        "form": urlencoded,
        "query": urlencoded.replace('+', "%20"),
        "base64": STANDARD.encode(SECRET),
        "basic": STANDARD.encode(format!("alice:{SECRET}")),
    })
}

#[track_caller]
fn is_silent(ran: &Ran) {
    let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = STANDARD.encode(format!("alice:{SECRET}"));
    // The last digits of the user's name and the first of the secret share one of base64.
    for spelling in [SECRET, "s3cret", &form, &form.replace('+', "%20"), &STANDARD.encode(SECRET), &basic[9..20]] {
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(spelling), "{spelling}: {text}");
        }
    }
    assert!(ran.out.contains("[redacted]") || ran.err.contains("[redacted]"), "{ran:?}");
}

#[test]
fn a_service_that_echoes_secrets_makes_none_of_them_seen() {
    let team = team();
    team.replace(MANIFEST, "            errors:\n              - { status: 401, raise: bad-credentials }\n              - { status: 404, raise: not-found }\n          output:\n            as: \"${ { id, name } }\"\n", "");
    team.replace(MANIFEST, "    output: { $ref: \"#/types/Item\" }\n    errors: [bad-credentials, not-found]\n", "");
    for status in [200, 500] {
        let service = Service::start(move |request| Answer::status(status).with_json(echoes(request)));
        for format in ["human", "json"] {
            for trace in [&[][..], &["--trace"]] {
                let ran = invoke(&team, &service, &[&GET[..], &["--output", format], trace].concat());
                assert_eq!(ran.code, i32::from(status != 200), "{ran:?}");
                is_silent(&ran);
            }
        }
    }
}

#[test]
fn a_secret_at_the_end_of_an_excerpt_is_not_shown_in_part() {
    let team = team();
    for before in (1985..2000).step_by(3) {
        let service = Service::start(move |_| Answer::status(500).text(&format!("{}{SECRET}", "x".repeat(before))));
        let ran = invoke(&team, &service, &[&GET[..], &["--trace", "--output", "json"]].concat()).failed();
        assert!(!ran.err.contains("xt0p"), "{before}: {}", ran.err);
    }
}

#[test]
fn tokens_that_an_authority_grants_are_secrets_too() {
    let service = Service::start(|request| match request.path() {
        "/token" => Answer::json(json!({ "access_token": "gr4nted-token", "token_type": "Bearer", "expires_in": 3600 })),
        _ => Answer::json(json!({ "seen": request.header("authorization") })),
    });
    let team = team();
    let manifest = "apiVersion: switchboard/v1
name: crm
title: CRM
description: Uses a token.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: https://api.example.com
  properties: { token: { title: Secret, type: string, secret: true } }
  authentication:
    oauth2:
      authority: https://api.example.com
      endpoints: { token: /token }
      grant: client_credentials
      client: { id: me, secret: '${ $connection.token }' }
actions:
  request:
    do: [ { ask: { call: request, with: { method: get, path: /me } } } ]
  http:
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://api.example.com/me
              authentication:
                oauth2:
                  authority: https://api.example.com
                  endpoints: { token: /token }
                  grant: client_credentials
                  client: { id: me, secret: '${ $connection.token }', authentication: client_secret_basic }
";
    team.write(MANIFEST, manifest);
    for suite in ["connection", "get-item"] {
        std::fs::remove_file(team.path(&format!("connectors/crm/tests/{suite}.yaml"))).unwrap();
    }
    for (action, format) in [("request", "human"), ("request", "json"), ("http", "human"), ("http", "json")] {
        let ran = invoke(&team, &service, &[action, "--environment", "test", "--trace", "--output", format]).done();
        assert_eq!(ran.json(), json!({ "seen": "Bearer [redacted]" }));
        assert!(!ran.err.contains("gr4nted") && ran.err.contains("Bearer [redacted]"), "{}", ran.err);
    }
    let asked: Vec<_> = service.requests().into_iter().filter(|request| request.path() == "/token").collect();
    assert_eq!(asked.len(), 4, "once for each run");
    assert!(asked[0].form().contains(&("client_secret".to_owned(), SECRET.to_owned())), "{}", asked[0].text());
}
