//! Inputs, outputs and types are valid JSON Schemas, draft 2020-12.

use jsonschema::draft202012::meta;
use serde_json::Value;

use super::codes::NO_SCHEMA;
use super::findings::Findings;
use super::subschemas;
use crate::flow::finding::At;
use crate::manifest::{Document, cut};

/// How much of what is wrong a message repeats, in characters.
const LONGEST: usize = 200;

pub(super) fn check(findings: &mut Findings<'_>) {
    let bundle = findings.bundle;
    subschemas::of_manifest(&bundle.manifest, &mut |schema, path| valid(findings, &bundle.document, schema, path));
}

/// Tells what is wrong with a schema of a file.
pub(super) fn valid(findings: &mut Findings<'_>, document: &Document, schema: &Value, path: &At<'_>) {
    if meta::is_valid(schema) {
        return;
    }
    // Where several schemas could be meant, the deepest complaint tells most.
    let Err(error) = meta::validate(schema) else { return };
    let place = document.place(&(path.pointer() + error.instance_path().as_str()));
    let message = format!("not a JSON Schema: {}", cut(&error.to_string(), LONGEST));
    findings.broken(NO_SCHEMA, place, message, "Write a value that JSON Schema, draft 2020-12, allows here.");
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn schemas_are_valid() {
        assert_eq!(sample::report(|sample| sample.replace("name: { type: string }", "name: { type: text }")), ["SB181 error 44:21"]);
        assert_eq!(sample::report(|sample| sample.replace("required: [id], ", "required: id, ")), ["SB181 error 25:38"]);
        assert_eq!(sample::report(|sample| sample.replace("output: { type: object }", "output: { minimum: much }")), ["SB181 error 36:24"]);
    }

    #[test]
    fn keywords_of_later_drafts_and_annotations_are_fine() {
        for schema in ["{ type: object, x-note: yes, minContains: 1 }", "true", "{ type: [string, \"null\"], examples: [{ type: text }] }"]
        {
            let found = sample::report(|sample| sample.replace("name: { type: string }", &format!("name: {schema}")));
            assert_eq!(found, Vec::<String>::new(), "{schema}");
        }
    }
}
