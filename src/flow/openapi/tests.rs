//! A small shelter described in each version, and the requests that its operations become.

use serde_json::{Map, Value, json};
use url::Url;

use super::Description;
use crate::flow::exchange::{Body, Request};

pub(super) const TWO: &str = r##"
swagger: "2.0"
info: {title: Shelter, version: "1"}
host: shelter.example.com
basePath: /v2
schemes: [http, https]
consumes: [application/json]
parameters:
  trace: {name: X-Trace, in: header, type: string}
paths:
  /animals/{animalId}:
    parameters:
      - {name: animalId, in: path, required: true, type: string}
      - {$ref: "#/parameters/trace"}
      - {name: fields, in: query, type: array, collectionFormat: csv}
    get:
      operationId: getAnimal
      parameters:
        - {name: fields, in: query, type: array, collectionFormat: pipes}
    put:
      operationId: replaceAnimal
      parameters: [{name: animal, in: body, required: true, schema: {$ref: "#/definitions/Animal"}}]
    post:
      operationId: noteAnimal
      consumes: [application/x-www-form-urlencoded]
      schemes: [https]
      parameters:
        - {name: note, in: formData, required: true, type: string}
        - {name: tags, in: formData, type: array, collectionFormat: multi}
        - {name: rooms, in: formData, type: array, collectionFormat: ssv}
  /animals/{animalId}/photo:
    post:
      operationId: addPhoto
      consumes: [multipart/form-data]
      parameters:
        - {name: animalId, in: path, required: true, type: string}
        - {name: photo, in: formData, required: true, type: file}
        - {name: caption, in: formData, type: string}
  /animals:
    get:
      operationId: listAnimals
      parameters:
        - {name: kind, in: query, required: true, type: string}
        - {name: tag, in: query, type: array, collectionFormat: multi}
        - {name: room, in: query, type: array, collectionFormat: tsv}
definitions:
  Animal: {type: object, required: [name], properties: {name: {type: string}, age: {type: integer}}}
"##;

pub(super) const THREE: &str = r##"
openapi: 3.1.0
info: {title: Shelter, version: "1"}
servers:
  - url: "{scheme}://{region}.shelter.example.com/v3/"
    variables:
      scheme: {default: https, enum: [https, http]}
      region: {default: eu}
paths:
  /animals/{id}{size}/{room}:
    servers: [{url: /relative}]
    parameters:
      - {name: id, in: path, required: true, style: matrix, schema: {type: integer}}
      - {name: size, in: path, required: true, style: label, explode: true, schema: {type: array}}
      - {name: room, in: path, required: true, schema: {type: string}}
    get:
      operationId: findAnimal
      parameters:
        - {name: session, in: cookie, schema: {type: string}}
        - {name: seen, in: cookie, schema: {type: array}}
        - {name: X-Tags, in: header, schema: {type: array}}
        - {name: Accept, in: header, required: true, schema: {type: string}}
  /animals:
    get:
      operationId: listAnimals
      parameters:
        - {name: kind, in: query, schema: {type: array}}
        - {name: flat, in: query, explode: false, schema: {type: array}}
        - {name: spaced, in: query, style: spaceDelimited, schema: {type: array}}
        - {name: piped, in: query, style: pipeDelimited, schema: {type: array}}
        - {name: filter, in: query, style: deepObject, schema: {type: object}}
        - {name: link, in: query, allowReserved: true, schema: {type: string}}
        - {name: where, in: query, content: {application/json: {schema: {type: object}}}}
    post:
      operationId: addAnimal
      requestBody: {$ref: "#/components/requestBodies/Animal"}
      parameters: [{name: dry, in: query, schema: {type: boolean}}]
  /comments/{id}:
    post:
      operationId: comment
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      requestBody:
        content: {application/json: {schema: {type: object, properties: {body: {type: string}, by: {type: string}}}}}
  /forms:
    post:
      operationId: sendForm
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object}
            encoding: {flat: {explode: false}, deep: {style: deepObject, explode: true}}
  /photos:
    post:
      operationId: sendPhoto
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: {type: object, properties: {photo: {type: string, format: binary}, about: {type: object}, tags: {type: array}}}
            encoding: {photo: {contentType: "image/png, image/*"}}
  /texts:
    post: {operationId: sendText, requestBody: {content: {text/plain: {}, text/csv: {}}}}
    put: {operationId: sendBytes, requestBody: {content: {application/octet-stream: {}}}}
    query: {operationId: ask, parameters: [{name: q, in: querystring, content: {application/x-www-form-urlencoded: {}}}]}
  /elsewhere:
    get: {operationId: elsewhere, parameters: [{$ref: "other.yaml#/a"}]}
  /twice: {get: {operationId: twice}, put: {operationId: twice}}
components:
  requestBodies:
    Animal: {required: true, content: {text/plain: {}, application/vnd.animal+json: {schema: {$ref: "#/components/schemas/Animal"}}}}
  schemas:
    Animal:
      allOf:
        - {type: object, required: [id, name], properties: {id: {type: integer, readOnly: true}, name: {type: string}}}
        - {properties: {age: {type: [integer, "null"]}, mother: {$ref: "#/components/schemas/Animal"}}}
"##;

pub(super) fn call(text: &str, id: &str, parameters: &Value) -> Result<Request, String> {
    let at = Url::parse("http://docs.example.com:8080/api/openapi.yaml?x=1").unwrap();
    Description::read("shelter.yaml", text.as_bytes())?.request(id, parameters.as_object().unwrap_or(&Map::new()), Some(&at))
}

fn url(text: &str, id: &str, parameters: &Value) -> String {
    call(text, id, parameters).unwrap().url.into()
}

fn refusal(text: &str, id: &str, parameters: &Value) -> String {
    call(text, id, parameters).unwrap_err()
}

fn body(text: &str, id: &str, parameters: &Value) -> (Option<String>, Option<Body>) {
    let request = call(text, id, parameters).unwrap();
    (request.header("content-type").map(str::to_owned), request.body)
}

#[test]
fn version_two_addresses() {
    let request = call(TWO, "getAnimal", &json!({"animalId": "a/b c", "fields": ["name", "age"], "X-Trace": 7})).unwrap();
    assert_eq!(
        (request.method.as_str(), request.url.as_str()),
        ("GET", "https://shelter.example.com/v2/animals/a%2Fb%20c?fields=name%7Cage")
    );
    assert_eq!(request.headers, [("X-Trace".to_owned(), "7".to_owned())]);
    let listed = url(TWO, "listAnimals", &json!({"kind": "cat", "tag": ["a", "b"], "room": [1, 2]}));
    assert_eq!(listed, "https://shelter.example.com/v2/animals?kind=cat&tag=a&tag=b&room=1%092");
    let replaced = body(TWO, "replaceAnimal", &json!({"animalId": 1, "fields": ["a", "b"], "animal": {"name": "Mia"}}));
    assert_eq!(replaced, (Some("application/json".to_owned()), Some(Body::Json(json!({"name": "Mia"})))));
    let flattened = body(TWO, "replaceAnimal", &json!({"animalId": 1, "name": "Mia", "age": 3}));
    assert_eq!(flattened.1, Some(Body::Json(json!({"name": "Mia", "age": 3}))));
}

#[test]
fn version_two_stands_where_it_came_from() {
    let without = |key: &str| TWO.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
    let list = json!({"kind": "cat"});
    assert_eq!(url(&without("host"), "listAnimals", &list), "http://docs.example.com:8080/v2/animals?kind=cat");
    assert_eq!(url(&without("basePath"), "listAnimals", &list), "https://shelter.example.com/animals?kind=cat");
    assert_eq!(url(&without("schemes"), "listAnimals", &list), "http://shelter.example.com/v2/animals?kind=cat");
    let read = |text: &str| Description::read("f", text.as_bytes()).unwrap().request("listAnimals", list.as_object().unwrap(), None);
    assert_eq!(read(&without("schemes")).unwrap().url.scheme(), "https");
    assert!(read(&without("host")).unwrap_err().contains("names no host"));
    assert!(read(&TWO.replace("[http, https]", "[ws]")).unwrap_err().contains("neither by https"));
    assert!(read(&TWO.replace("host: shelter.example.com", "host: a@evil.example")).unwrap_err().contains("host"));
}

#[test]
fn version_two_forms() {
    let (media, form) = body(TWO, "noteAnimal", &json!({"animalId": 1, "note": "a b", "tags": ["x", "y"], "rooms": [1, 2]}));
    assert_eq!(media.as_deref(), Some("application/x-www-form-urlencoded"));
    let pairs = [("note", "a b"), ("tags", "x"), ("tags", "y"), ("rooms", "1 2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(form, Some(Body::Form(pairs.to_vec())));
    let photo = json!({"base64": "/wA=", "filename": "mia.png", "contentType": "image/png"});
    let (media, form) = body(TWO, "addPhoto", &json!({"animalId": 1, "photo": photo, "caption": "Mia"}));
    let Some(Body::Multipart(parts)) = form else { panic!("{form:?}") };
    assert_eq!((media, parts.len()), (None, 2));
    assert_eq!((parts[0].filename.as_deref(), parts[0].content.as_slice()), (Some("mia.png"), &[0xff, 0][..]));
    assert_eq!((parts[1].name.as_str(), parts[1].filename.as_deref()), ("caption", None));
}

#[test]
fn version_three_addresses() {
    let given =
        json!({"id": 5, "size": ["a", "b"], "room": "x/..", "session": "é;", "seen": [1, 2], "X-Tags": ["ä", "b"], "Accept": "text/csv"});
    let request = call(THREE, "findAnimal", &given).unwrap();
    assert_eq!(request.url.as_str(), "http://docs.example.com:8080/relative/animals/;id=5.a.b/x%2F..");
    assert_eq!(request.header("cookie"), Some("session=%C3%A9%3B; seen=1; seen=2"));
    assert_eq!((request.header("x-tags"), request.header("accept")), (Some("ä,b"), Some("text/csv")));
    let given = json!({
        "kind": ["cat", "dog"], "flat": [1, 2], "spaced": ["a", "b"], "piped": ["a", "b"], "filter": {"age": {"min": 1}},
        "link": "https://x/?a&b#c", "where": {"a": [1]}, "region": "us-1",
    });
    assert_eq!(
        url(THREE, "listAnimals", &given),
        "https://us-1.shelter.example.com/v3/animals?kind=cat&kind=dog&flat=1,2&spaced=a%20b&piped=a%7Cb&filter%5Bage%5D%5Bmin%5D=1\
         &link=https://x/?a%26b%23c&where=%7B%22a%22%3A%5B1%5D%7D"
    );
    let asked = call(THREE, "ask", &json!({"q": {"a": [1, 2], "b": "x y"}})).unwrap();
    assert_eq!((asked.method.as_str(), asked.url.query()), ("QUERY", Some("a=1&a=2&b=x%20y")));
}

#[test]
fn servers() {
    assert_eq!(url(THREE, "sendText", &json!({"scheme": "http"})), "http://eu.shelter.example.com/v3/texts");
    assert!(refusal(THREE, "sendText", &json!({"scheme": "ftp"})).contains("may be `https`, `http`"));
    assert!(refusal(THREE, "sendText", &json!({"region": "evil.example/?"})).contains("does not fit"));
    assert!(refusal(THREE, "sendText", &json!({"region": "x/../y"})).contains("another address"));
    let server = |servers: &str| THREE.replace("{scheme}://{region}.shelter.example.com/v3/", servers);
    assert_eq!(url(&server("../v4"), "sendText", &json!({})), "http://docs.example.com:8080/v4/texts");
    assert_eq!(url(&server("//other.example"), "sendText", &json!({})), "http://other.example/texts");
    assert_eq!(url(&server(""), "sendText", &json!({})), "http://docs.example.com:8080/api/openapi.yaml/texts");
    assert!(refusal(&server("ftp://a.example"), "sendText", &json!({})).contains("not an HTTP address"));
    assert!(refusal(&server("https://{planet}/"), "sendText", &json!({})).contains("needs `planet`"));
    let own = server("v5").replace("openapi: 3.1.0", "openapi: 3.2.0\n$self: https://self.example/docs/api.yaml");
    assert_eq!(url(&own, "sendText", &json!({})), "https://self.example/docs/v5/texts");
    let description = Description::read("f", server("/v1").as_bytes()).unwrap();
    assert!(description.request("sendText", &Map::new(), None).unwrap_err().contains("relative"));
}

#[test]
fn bodies_from_properties_or_as_a_whole() {
    let whole = json!({"name": "Mia", "any": 1});
    let animal = |given: Value| body(THREE, "addAnimal", &given);
    let media = Some("application/vnd.animal+json".to_owned());
    assert_eq!(animal(json!({"body": whole, "dry": true})), (media.clone(), Some(Body::Json(whole))));
    assert_eq!(animal(json!({"name": "Mia", "age": null, "mother": null})), (media, Some(Body::Json(json!({"name": "Mia", "age": null})))));
    let asked = body(THREE, "sendText", &json!({"body": "x"}));
    assert_eq!(asked, (Some("text/plain".to_owned()), Some(Body::Text("x".to_owned()))));
    assert_eq!(body(THREE, "sendBytes", &json!({"body": {"base64": "/wA="}})).1, Some(Body::Bytes(vec![0xff, 0])));
    assert_eq!(call(THREE, "sendText", &json!({"body": null})).unwrap().body, None);
    for (given, sent) in [
        (json!({"id": 1, "body": "text"}), json!({"body": "text"})),
        (json!({"id": 1, "body": "text", "by": "me"}), json!({"body": "text", "by": "me"})),
        (json!({"id": 1, "body": {"body": "text"}}), json!({"body": "text"})),
    ] {
        assert_eq!(body(THREE, "comment", &given).1, Some(Body::Json(sent)), "{given}");
    }
}

#[test]
fn forms_and_parts() {
    let given = json!({"flat": [1, 2], "deep": {"a": {"b": 1}}, "list": ["x", {"y": 1}], "map": {"z": 1}, "none": null});
    let pairs = [("flat", "1,2"), ("deep[a][b]", "1"), ("list", "x"), ("list", "{\"y\":1}"), ("map", "{\"z\":1}")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    assert_eq!(body(THREE, "sendForm", &given).1, Some(Body::Form(pairs)));
    let (media, form) = body(THREE, "sendPhoto", &json!({"photo": "PNG", "about": {"a": 1}, "tags": ["x", "y"]}));
    let Some(Body::Multipart(parts)) = form else { panic!("{form:?}") };
    let told: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.filename.as_deref(), part.content_type.as_deref())).collect();
    let photo = ("photo", Some("photo"), Some("image/png"));
    assert_eq!((media, told), (None, vec![photo, ("about", None, Some("application/json")), ("tags", None, None), ("tags", None, None)]));
}

#[test]
fn what_is_missing_is_told_at_once() {
    assert!(refusal(TWO, "noteAnimal", &json!({"note": null})).ends_with("required parameters missing: `animalId`, `note`"));
    assert!(refusal(THREE, "findAnimal", &json!({"id": 1})).ends_with("missing: `size`, `room`"));
    assert!(refusal(THREE, "addAnimal", &json!({"age": 1})).ends_with("required parameter missing: `name`"));
    assert!(refusal(THREE, "sendPhoto", &json!({})).ends_with("missing: `body`"));
    assert!(refusal(TWO, "replaceAnimal", &json!({"animalId": 1})).ends_with("missing: `name`"));
}

#[test]
fn what_is_unknown_comes_with_what_was_meant() {
    assert_eq!(refusal(TWO, "listAnimal", &json!({})), "`shelter.yaml` has no operation `listAnimal`; did you mean `listAnimals`?");
    assert!(refusal(TWO, "listAnimals", &json!({"kind": 1, "tags": 1})).ends_with("no parameter `tags`; did you mean `tag`?"));
    assert!(refusal(THREE, "addAnimal", &json!({"name": "Mia", "aeg": 1})).ends_with("no parameter `aeg`; did you mean `age`?"));
    assert!(refusal(THREE, "addAnimal", &json!({"body": {}, "name": "Mia"})).contains("no parameter `name`"));
    assert!(refusal(THREE, "twice", &json!({})).contains("more than one"));
    assert!(refusal(THREE, "elsewhere", &json!({})).contains("`other.yaml#/a` leads to another document"));
    let away = THREE.replace("/twice: {get", "/away: {$ref: away.yaml}\n  /twice: {get");
    assert!(refusal(&away, "nothingNear", &json!({})).contains("not all of its paths could be read"));
}

#[test]
fn values_lead_nowhere_else() {
    for id in [".", "..", "", "%2e%2e/.."] {
        let called = call(TWO, "getAnimal", &json!({ "animalId": id }));
        match called {
            Ok(request) => assert_eq!(request.url.path(), "/v2/animals/%252e%252e%2F.."),
            Err(why) => assert!(why.contains("another address"), "{why}"),
        }
    }
    assert!(refusal(TWO, "getAnimal", &json!({"animalId": 1, "X-Trace": "a\r\nb: c"})).contains("control characters"));
    assert!(refusal(TWO, "getAnimal", &json!({ "animalId": "x".repeat(70_000) })).contains("longer than"));
    assert!(refusal(THREE, "sendText", &json!({"body": {"a": 1}})).contains("has to be text"));
}

#[test]
fn versions() {
    let with = |version: &str| Description::read("f", format!("{version}\npaths: {{}}").as_bytes()).map(|_| ());
    for good in ["swagger: '2.0'", "swagger: 2.0", "openapi: 3.0.4", "openapi: 3.1", "openapi: 3.2.0"] {
        assert_eq!(with(good), Ok(()), "{good}");
    }
    for bad in ["swagger: 1.2", "openapi: 4.0.0", "openapi: 3.10.0", "openapi: 2.0", "asyncapi: 3.0.0", "openapi: []", "- a"] {
        assert!(with(bad).unwrap_err().starts_with("`f` cannot be read as an OpenAPI description"), "{bad}");
    }
}
