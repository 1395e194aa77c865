//! The work itself: connectors that place, amend and cancel orders, and ten cases for each.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// How many cases a connector has.
pub const CASES: usize = 10;

/// One request with its answer, and what comes of it.
pub struct Case {
    pub title: String,
    pub action: &'static str,
    pub input: Value,
    pub method: &'static str,
    pub path: String,
    pub body: Value,
    pub status: u16,
    pub answer: Value,
    /// The name of the error, where the answer is mapped to one.
    pub error: Option<&'static str>,
}

/// The name of one connector.
pub fn name(index: usize) -> String {
    format!("orders-{index:02}")
}

/// What a request's header says of where it comes from.
pub fn trace(index: usize) -> String {
    format!("trace-{index}")
}

/// The cases of one connector.
pub fn cases(index: usize) -> Vec<Case> {
    (0..CASES).map(|number| Case::new(index, number)).collect()
}

impl Case {
    fn new(index: usize, number: usize) -> Self {
        let articles = json!([{ "number": format!("a-{number}"), "count": number + 1 }, { "number": "a-99", "count": 1 }]);
        let order = format!("o-{number}");
        let case = |action, method, rest: String, input, body, status, answer| Self {
            title: format!("{action} {number}"),
            action,
            input,
            method,
            path: format!("/v1/{index}/{rest}"),
            body,
            status,
            answer,
            error: None,
        };
        let placed = |status, answer| {
            let customer = format!("c-{number}");
            let path = format!("customers/{customer}/orders");
            let input = json!({ "customer": customer, "articles": articles });
            case("place-order", "POST", path, input, json!({ "articles": articles, "urgent": false }), status, answer)
        };
        let amended = |status, answer| {
            let input = json!({ "order": order, "remark": "ring twice" });
            case("amend-order", "PATCH", format!("orders/{order}"), input, json!({ "remark": "ring twice" }), status, answer)
        };
        match number {
            0..5 => placed(201, json!({ "number": order, "total": number * 3, "state": "open", "lines": articles })),
            5 => Self { error: Some("unknown-customer"), ..placed(404, json!({ "message": "no such customer" })) },
            6..8 => amended(200, json!({ "number": order, "total": 12, "state": "amended", "lines": [] })),
            8 => Self { error: Some("conflict"), ..amended(409, json!({ "message": "it is on its way" })) },
            _ => {
                let answer = json!({ "number": order, "total": 0, "state": "cancelled", "lines": [] });
                let input = json!({ "order": order, "reason": "too late" });
                case("cancel-order", "POST", format!("orders/{order}/cancel"), input, json!({ "reason": "too late" }), 200, answer)
            }
        }
    }

    /// The case whose request has this path.
    pub fn of_path(path: &str) -> Option<Self> {
        let words: Vec<&str> = path.split('/').collect();
        let number = words.get(4)?.rsplit('-').next()?.parse().ok()?;
        Some(Self::new(words.get(2)?.parse().ok()?, number))
    }

    /// What the action returns, or nothing where it raises an error.
    fn output(&self) -> Option<Value> {
        let answer = &self.answer;
        let lines = answer["lines"].as_array()?.len();
        Some(json!({ "number": answer["number"], "total": answer["total"], "state": answer["state"], "lines": lines }))
    }
}

/// A suite in our own words.
pub fn suite(index: usize, cases: &[Case]) -> String {
    let mut text = String::from("title: Orders\nconnection: { token: a-token-for-tests }\ncases:\n");
    for case in cases {
        let expected = match (&case.error, case.output()) {
            (Some(error), _) => json!({ "error": { "name": error, "status": case.status } }),
            (None, output) => json!({ "output": output }),
        };
        let headers = json!({ "authorization": "Bearer a-token-for-tests", "x-trace": trace(index) });
        // JSON is YAML.
        let _ = write!(
            text,
            "  - title: {}\n    action: {}\n    input: {}\n    exchanges:\n      - request:\n          method: {}\n          path: {}\n          headers: {headers}\n          body: {}\n        response: {{ status: {}, body: {} }}\n    expect: {expected}\n",
            case.title, case.action, case.input, case.method, case.path, case.body, case.status, case.answer
        );
    }
    text
}

/// A connector.
pub fn manifest(index: usize) -> String {
    MANIFEST.replace("@NAME@", &name(index)).replace("@INDEX@", &index.to_string()).replace("@TRACE@", &trace(index))
}

const MANIFEST: &str = r##"apiVersion: switchboard/v1
name: @NAME@
title: Orders @INDEX@
description: Places, amends and cancels orders with service @INDEX@.
kind: self-built
version: 1.0.0
status: editing
owner: alice@example.com

connection:
  hosts: [api-@INDEX@.example.com]
  baseUrl: https://api-@INDEX@.example.com/v1/@INDEX@
  properties:
    token: { title: Access token, description: May place orders., type: string, secret: true, example: a long text }
  authentication:
    bearer: { token: "${ $connection.token }" }

actions:
  place-order:
    title: Place an order
    description: Places an order and returns it as the service understood it.
    input:
      type: object
      required: [customer, articles]
      additionalProperties: false
      properties:
        customer: { title: Customer, description: The number of the account., type: string, minLength: 1 }
        articles: { title: Articles, description: At least one., type: array, minItems: 1, items: { $ref: "#/types/Article" } }
        urgent: { title: Urgent, description: Whether it goes out today., type: boolean, default: false }
    output: { $ref: "#/types/Order" }
    errors: [unknown-customer]
    do:
      - place:
          call: request
          with:
            method: post
            path: /customers/{customer}/orders
            headers: { X-Trace: @TRACE@ }
            body: "${ { articles, urgent: (.urgent // false) } }"
            errors: [ { status: 404, raise: unknown-customer } ]
          output: { as: "${ { number, total, state, lines: (.lines | length) } }" }
  amend-order:
    title: Amend an order
    description: Changes the remark of an order that has not left yet.
    input:
      type: object
      required: [order]
      properties:
        order: { title: Order, description: Its number., type: string }
        remark: { title: Remark, description: What the carrier is told., type: string }
    output: { $ref: "#/types/Order" }
    errors: [conflict]
    do:
      - amend:
          call: request
          with:
            method: patch
            path: /orders/{order}
            headers: { X-Trace: @TRACE@ }
            body: "${ { remark } }"
            errors: [ { status: 409, raise: conflict } ]
          output: { as: "${ { number, total, state, lines: (.lines | length) } }" }
  cancel-order:
    title: Cancel an order
    description: Calls an order off, for a reason.
    input:
      type: object
      required: [order, reason]
      properties:
        order: { title: Order, description: Its number., type: string }
        reason: { title: Reason, description: Why., type: string }
    output: { $ref: "#/types/Order" }
    do:
      - cancel:
          call: request
          with:
            method: post
            path: /orders/{order}/cancel
            headers: { X-Trace: @TRACE@ }
            body: "${ { reason } }"
          output: { as: "${ { number, total, state, lines: (.lines | length) } }" }

types:
  Article:
    title: Article
    type: object
    required: [number, count]
    properties:
      number: { title: Number, description: The number in the catalogue., type: string }
      count: { title: Count, description: How many of them., type: integer, minimum: 1 }
  Order:
    title: Order
    type: object
    required: [number, total, state, lines]
    properties:
      number: { title: Number, description: The number of the order., type: string }
      total: { title: Total, description: What is to be paid., type: integer }
      state: { title: State, description: How far it is., type: string, enum: [open, amended, cancelled] }
      lines: { title: Lines, description: How many articles., type: integer }

errors:
  unknown-customer: { status: 404, title: No such customer, description: The service has no account with this number. }
  conflict: { status: 409, title: Too late, description: The order has left already. }

docs:
  website: https://service-@INDEX@.example.com
  apiReference: https://service-@INDEX@.example.com/reference
"##;
