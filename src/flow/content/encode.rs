//! Values into the bodies of requests.

use serde_json::Value;

use super::text::essence;
use super::{form, from_base64, kind_of, multipart, scalar, short};
use crate::flow::exchange::Body;

/// How a value travels in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BodyForm {
    /// As the content type says that the flow gives; without one, text as text and anything else as JSON.
    #[default]
    Auto,
    /// As JSON.
    Json,
    /// As fields of a form: see [`form::fields`].
    Form,
    /// As parts of a form: see [`multipart::parts`].
    Multipart,
    /// As text.
    Text,
    /// As the bytes that it is in base64.
    Binary,
}

/// The type of a form's fields.
const FORM: &str = "application/x-www-form-urlencoded";
/// The type of a form's parts.
const MULTIPART: &str = "multipart/form-data";

/// A value as a body, and the content type to add where the flow gives none. Null is no body, in every form.
///
/// A multipart body has no type to add: whoever sends it chooses its boundary.
pub(crate) fn encode(form: BodyForm, value: &Value, given: Option<&str>) -> Result<Option<(Body, Option<String>)>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let (body, kind) = match form {
        BodyForm::Auto => return encode(told_by(value, given), value, given),
        BodyForm::Json => (Body::Json(value.clone()), Some("application/json")),
        BodyForm::Form => (Body::Form(form::fields(value)?), Some(FORM)),
        BodyForm::Multipart => {
            if let Some(other) = given.filter(|kind| essence(kind) != MULTIPART) {
                return Err(format!("a multipart body is sent as `{MULTIPART}`, not as `{}`", short(other)));
            }
            (Body::Multipart(multipart::parts(value)?), None)
        }
        BodyForm::Text => {
            let text = scalar(value).ok_or_else(|| format!("a text body is text, not {}", kind_of(value)))?;
            (Body::Text(text), Some("text/plain; charset=utf-8"))
        }
        BodyForm::Binary => {
            let text = value.as_str().ok_or_else(|| format!("a binary body is text in base64, not {}", kind_of(value)))?;
            let bytes = from_base64(text).ok_or("a binary body is text in base64, and this is not base64")?;
            (Body::Bytes(bytes), Some("application/octet-stream"))
        }
    };
    Ok(Some((body, kind.filter(|_| given.is_none()).map(str::to_owned))))
}

/// What a value is to travel as. Text is never taken apart: whoever gives it with a type has written it in that type.
fn told_by(value: &Value, given: Option<&str>) -> BodyForm {
    match given.map(essence).as_deref() {
        _ if value.is_string() => BodyForm::Text,
        Some(FORM) => BodyForm::Form,
        Some(MULTIPART) => BodyForm::Multipart,
        Some(_) | None => BodyForm::Json,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(form: BodyForm, value: &Value, given: Option<&str>) -> (Body, Option<String>) {
        encode(form, value, given).unwrap().unwrap()
    }

    #[test]
    fn null_is_no_body_in_every_form() {
        for form in [BodyForm::Auto, BodyForm::Json, BodyForm::Form, BodyForm::Multipart, BodyForm::Text, BodyForm::Binary] {
            assert_eq!(encode(form, &Value::Null, None), Ok(None));
        }
    }

    #[test]
    fn a_value_alone_goes_as_text_or_as_json() {
        let plain = Some("text/plain; charset=utf-8".to_owned());
        assert_eq!(written(BodyForm::Auto, &json!("hi"), None), (Body::Text("hi".to_owned()), plain));
        for value in [json!({"a": 1}), json!([1]), json!(7), json!(false)] {
            let kind = Some("application/json".to_owned());
            assert_eq!(written(BodyForm::Auto, &value, None), (Body::Json(value.clone()), kind));
            assert_eq!(written(BodyForm::Auto, &value, Some("application/vnd.api+json")), (Body::Json(value), None));
        }
    }

    #[test]
    fn a_given_type_tells_the_form() {
        let value = json!({"a": "b"});
        let form = Body::Form(vec![("a".to_owned(), "b".to_owned())]);
        assert_eq!(written(BodyForm::Auto, &value, Some("Application/X-WWW-form-urlencoded; charset=UTF-8")), (form.clone(), None));
        assert_eq!(written(BodyForm::Form, &value, None), (form, Some(FORM.to_owned())));
        let (body, kind) = written(BodyForm::Auto, &value, Some("multipart/form-data"));
        assert!(matches!(body, Body::Multipart(parts) if parts.len() == 1) && kind.is_none());
        assert_eq!(written(BodyForm::Auto, &json!("a=b"), Some(FORM)), (Body::Text("a=b".to_owned()), None));
        assert_eq!(encode(BodyForm::Auto, &json!([1]), Some(FORM)), Err("a form is a map of fields, not a list".to_owned()));
    }

    #[test]
    fn what_a_form_cannot_carry_is_refused() {
        for (form, value, given, expected) in [
            (BodyForm::Text, json!({"a": 1}), None, "a text body is text, not a map"),
            (BodyForm::Binary, json!([1]), None, "a binary body is text in base64, not a list"),
            (BodyForm::Binary, json!("no base64!"), None, "a binary body is text in base64, and this is not base64"),
            (
                BodyForm::Multipart,
                json!({}),
                Some("multipart/mixed"),
                "a multipart body is sent as `multipart/form-data`, not as `multipart/mixed`",
            ),
        ] {
            assert_eq!(encode(form, &value, given), Err(expected.to_owned()));
        }
    }

    #[test]
    fn text_and_bytes_go_as_they_are() {
        assert_eq!(written(BodyForm::Text, &json!(1.5), Some("text/csv")), (Body::Text("1.5".to_owned()), None));
        let octets = Some("application/octet-stream".to_owned());
        assert_eq!(written(BodyForm::Binary, &json!("/wA="), None), (Body::Bytes(vec![0xff, 0]), octets));
        assert_eq!(written(BodyForm::Binary, &json!("/wA="), Some("image/png")), (Body::Bytes(vec![0xff, 0]), None));
    }
}
