//! What documents become, and what is refused of them.

use serde_json::json;

use super::*;

fn document(text: &str) -> Value {
    read(text, &XmlOptions::default()).unwrap()
}

fn refused(text: &str) -> String {
    let told = read(text, &XmlOptions::default()).unwrap_err();
    told.strip_prefix("the response is not XML that can be read: ").unwrap_or(&told).to_owned()
}

#[test]
fn elements_attributes_and_text_have_their_places() {
    let text = r#"<?xml version="1.0" encoding="UTF-8"?>
        <!-- orders --><?style none?>
        <o:orders xmlns:o="urn:o" count='2'>
            <o:order id="1"><total currency="EUR">12.50</total><note/></o:order>
            <o:order id="2"><total>3</total><note> two
 lines </note></o:order>
            <paid></paid>
        </o:orders>
        <!-- end -->"#;
    let expected = json!({"o:orders": {
        "@xmlns:o": "urn:o",
        "@count": "2",
        "o:order": [
            {"@id": "1", "total": {"@currency": "EUR", "#text": "12.50"}, "note": null},
            {"@id": "2", "total": "3", "note": "two\n lines"},
        ],
        "paid": null,
    }});
    assert_eq!(document(text), expected);
}

#[test]
fn what_is_named_is_always_a_list() {
    let options = XmlOptions { lists: vec!["item".to_owned()] };
    assert_eq!(read("<r><item>1</item><other/></r>", &options), Ok(json!({"r": {"item": ["1"], "other": null}})));
    assert_eq!(read("<r><item/><item>2</item></r>", &options), Ok(json!({"r": {"item": [null, "2"]}})));
    assert_eq!(read("<r/>", &options), Ok(json!({"r": null})));
}

#[test]
fn references_and_cdata_are_text() {
    assert_eq!(document("<a>1 &lt; 2 &amp;amp; &#x41;&#66;</a>"), json!({"a": "1 < 2 &amp; AB"}));
    assert_eq!(document("<a>\n <![CDATA[ <b> & ]]>\n</a>"), json!({"a": " <b> & "}));
    assert_eq!(document("<a> &#32;x </a>"), json!({"a": " x"}));
    assert_eq!(document("<a>\u{a0}x</a>"), json!({"a": "\u{a0}x"}));
    assert_eq!(document("<a> <![CDATA[]]> </a>"), json!({"a": null}));
    assert_eq!(document("<a b='&quot;&amp;lt;&#10;\n'/>"), json!({"a": {"@b": "\"&lt;\n "}}));
    assert_eq!(document("<p>Hello <b>big</b> <i/>world</p>"), json!({"p": {"b": "big", "i": null, "#text": "Hello  world"}}));
    assert_eq!(document("<a>x<!-- - -->y\r\nz</a>"), json!({"a": "xy\nz"}));
}

#[test]
fn a_document_type_or_an_entity_of_its_own_is_refused() {
    let laughs = "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><l>&b;</l>";
    let outside = "<!DOCTYPE l [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><l>&a;</l>";
    for text in [laughs, outside, "<!DOCTYPE html><html></html>", "<!DOCTYPE l SYSTEM 'http://h/l.dtd'><l/>"] {
        assert_eq!(refused(text), "line 1, column 1: the document has a document type (DOCTYPE), which is never read");
    }
    assert_eq!(refused("<l>\n&b;</l>"), "line 2, column 1: the entity `&b;` is not one of XML's own");
    assert!(refused("<l a='&b;'/>").contains("unrecognized entity `b`"));
    assert!(refused("<l>&#0;</l>").contains("invalid character reference"));
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "line 1, column 1: there is no element"),
        ("<a>\n<b>", "line 2, column 4: `b` is not closed"),
        ("<a/>\nü<b/>", "line 1, column 5: there is text outside of the root element"),
        ("<a/>\n<b/>", "line 2, column 1: `b` is a second root element"),
        ("{\"a\": 1}", "line 1, column 1: there is text outside of the root element"),
        ("<a>ü</b>", "line 1, column 5: ill-formed document: expected `</a>`, but `</b>` was found"),
        ("<1/>", "line 1, column 1: `1` is not a name"),
        ("<a @b='1'/>", "line 1, column 1: `@b` is not a name"),
        ("<a></a></a>", "line 1, column 8: ill-formed document: close tag `</a>` does not match any open tag"),
        ("<a><?xml version='1.0'?></a>", "line 1, column 4: an XML declaration stands inside the document"),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
    for text in ["<a b='1' b='2'/>", "<a b=1/>", "<a", "<a>&lt</a>", "<a><![CDATA[x</a>", "<a b/>", "<>x</>"] {
        refused(text);
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let nested = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    assert!(read(&nested(DEEPEST), &XmlOptions::default()).is_ok());
    assert_eq!(refused(&nested(DEEPEST + 1)), "line 1, column 301: elements nest deeper than 100 levels");
    // Lists between the elements count too.
    let listed = format!("{}{}", "<a><a/>".repeat(60), "</a>".repeat(60));
    assert_eq!(refused(&listed), "the response nests deeper than 100 levels");
    let attributes: String = (0..=ATTRIBUTES).map(|index| format!(" a{index}=''")).collect();
    assert_eq!(refused(&format!("<a{attributes}/>")), "line 1, column 1: an element has more than 200 attributes");
    assert!(refused(&format!("<r>{}</r>", "<a/>".repeat(NODES))).ends_with("there are more than 250000 elements and attributes"));
    assert!(refused(&format!("<r></{}>", "x".repeat(100_000))).len() < 400);
}

#[test]
fn the_encoding_a_document_declares_is_found() {
    for (bytes, expected) in [
        (&b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>"[..], Ok(Some("windows-1252"))),
        (b"<?xml version='1.0' encoding = 'utf-8' standalone='yes'?><a/>", Ok(Some("UTF-8"))),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", Ok(Some("UTF-8"))),
        (b"<\0?\0x\0", Ok(Some("UTF-16LE"))),
        (b"\0<\0?\0x", Ok(Some("UTF-16BE"))),
        (b"<?xml version='1.0'?><a encoding='latin1'/>", Ok(None)),
        (b"<?xml version='1.0' encoding=?>", Ok(None)),
        (b"<a/>", Ok(None)),
        (b"<?xml version='1.0' encoding='EBCDIC-CP-US'?>", Err("the response's charset `EBCDIC-CP-US` is not known")),
    ] {
        assert_eq!(declared(bytes).map(|encoding| encoding.map(Encoding::name)), expected.map_err(str::to_owned));
    }
}
