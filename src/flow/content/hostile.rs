//! Whatever bytes a service sends, reading them ends, does not panic, and makes a value that an expression can take.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;
use serde_json::Value;

use super::{BodyForm, CsvOptions, ResponseForm, XmlOptions, decode, encode, excerpt};
use crate::flow::exchange::Response;
use crate::flow::expression::value::{to_jq, to_json};

const KINDS: [&str; 8] = [
    "application/json",
    "text/plain",
    "text/html; charset=utf-16le",
    "application/xml; charset=shift_jis",
    "text/csv; charset=\"latin1\"",
    "application/octet-stream",
    "text/plain; charset=none-such",
    ";;charset=;\"",
];

/// Pieces that documents are made of, and what spoils them.
const PIECES: [&str; 34] = [
    "<a>",
    "</a>",
    "<b x='1'>",
    "</b>",
    "<c/>",
    "<a",
    ">",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [",
    "<!ENTITY b 'c'>",
    "<?xml ",
    "?>",
    "&amp;",
    "&b;",
    "&#x110000;",
    "&#65;",
    "&",
    "'",
    "\"",
    "\"\"",
    ",",
    ";",
    "\n",
    "\r\n",
    " ",
    "{\"a\":",
    "[",
    "]}",
    "1e999",
    "\u{feff}",
    "ü",
];

fn forms() -> Vec<ResponseForm> {
    let lists = XmlOptions { lists: vec!["a".to_owned()] };
    let bare = CsvOptions::new(";", "", false).unwrap();
    let csv = ResponseForm::Csv(CsvOptions::default());
    vec![
        ResponseForm::Auto,
        ResponseForm::Json,
        ResponseForm::Text,
        ResponseForm::Xml(XmlOptions::default()),
        ResponseForm::Xml(lists),
        csv,
        ResponseForm::Csv(bare),
        ResponseForm::Binary,
    ]
}

fn read_in_every_form(kind: &str, body: &[u8]) {
    let response = Response { status: 200, headers: vec![("content-type".to_owned(), kind.to_owned())], body: body.to_vec() };
    assert!(excerpt(&response).len() < 2000);
    for form in forms() {
        match decode(&form, &response) {
            Ok(value) => assert_eq!(to_json(&to_jq(&value), 1 << 30).map(drop), Ok(()), "{form:?} of {body:?}"),
            Err(why) => assert!(form != ResponseForm::Auto && !why.is_empty() && why.len() < 1200, "{form:?} of {body:?}: {why}"),
        }
    }
}

fn assembled() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A sound document with bytes of it replaced, left out or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    const XML: &str =
        "<?xml version='1.0' encoding='utf-8'?><r xmlns:p='u'><p:i id='1'>a &lt; b</p:i><p:i><![CDATA[x]]></p:i><!-- c --><n/>t</r>";
    const CSV: &str = "id;name;name\n1;\"a \"\"b\"\"\";x\n2;\"c\nd\";ü\n";
    let sound = prop_oneof![Just(XML.as_bytes()), Just(CSV.as_bytes())];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..6);
    (sound, changes).prop_map(|(sound, changes)| {
        let mut bytes = sound.to_vec();
        for (index, byte, how) in changes.into_iter().filter(|_| !sound.is_empty()) {
            let at = index.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    })
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![Just("name".to_owned()), Just("base64".to_owned()), Just("value".to_owned()), Just("/wA=".to_owned()), ".{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(14, 60, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(400) })]

    #[test]
    fn bytes_by_chance(kind in prop::sample::select(&KINDS[..]), body in prop::collection::vec(any::<u8>(), 0..200)) {
        read_in_every_form(kind, &body);
    }

    #[test]
    fn documents_by_chance(kind in prop::sample::select(&KINDS[..]), body in assembled()) {
        read_in_every_form(kind, &body);
    }

    #[test]
    fn documents_that_were_sound(kind in prop::sample::select(&KINDS[..]), body in mutated()) {
        read_in_every_form(kind, &body);
    }

    #[test]
    fn values_become_bodies_or_are_refused(value in value(), given in prop::option::of(prop::sample::select(&KINDS[..]))) {
        for form in [BodyForm::Auto, BodyForm::Json, BodyForm::Form, BodyForm::Multipart, BodyForm::Text, BodyForm::Binary] {
            let written = encode(form, &value, given);
            assert!(written.is_ok_and(|body| body.is_none() == value.is_null()) || !value.is_null());
        }
    }
}
