//! A recording, `tests/recordings/*.yaml`: the exchanges of one case as a live run had them, written by `test --record`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Document, typed};
use super::Exchange;
use crate::model::Problem;

const PREAMBLE: &str = "\
# yaml-language-server: $schema=";
const SCHEMA: &str = "schemas/recording.schema.json";
const NOTE: &str = "
# Written by `switchboard test --record`, and written anew by the next one: change the case, not this file.
# Secrets are not in it: what stands for them is what the suite's `connection` says.
";

/// What a case with `recording` expects to be asked, and answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recording {
    /// The requests of the flow, in order, with their answers.
    pub exchanges: Vec<Exchange>,
}

impl Recording {
    /// Reads a recording; `file` is its path from the repository's root.
    pub fn read(file: &str, bytes: &[u8]) -> Result<(Self, Document), Vec<Problem>> {
        typed::read::<Self>(file, bytes)
    }

    /// Writes it; equal recordings give equal bytes. `file` is its path from the repository's root, so that editors find the schema. The
    /// error is why it cannot be written so that it is read back as it is: there are numbers that YAML has no room for.
    pub fn write(&self, file: &str) -> Result<String, String> {
        let up = "../".repeat(file.matches('/').count());
        let text = serde_yaml::to_string(self).map_err(|error| error.to_string())?;
        let text = format!("{PREAMBLE}{up}{SCHEMA}{NOTE}{text}");
        match Self::read(file, text.as_bytes()) {
            Ok((read, _)) if read == *self => Ok(text),
            Ok(_) => Err("it would be read as something else".to_owned()),
            Err(problems) => Err(problems.first().map(|problem| problem.message.clone()).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let body = json!({ "yes": "no", "on": "2025-01-01", "n": ["~", "", "0x1", "1e3", 1.5, -7, 1e300, null, " a\n b: # c\n", "\u{85}\t\u{feff}"] });
        let recording: Recording = serde_json::from_value(json!({ "exchanges": [
            { "request": { "method": "get", "path": "/a" }, "response": { "status": 200, "headers": { "etag": "\"1\"" }, "body": body } },
            { "request": { "method": "post", "path": "/b", "body": null }, "response": { "status": 204 } },
        ] }))
        .unwrap();
        let file = "connectors/crm/tests/recordings/a.yaml";
        let text = recording.write(file).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=../../../../schemas/recording.schema.json\n# Written by"), "{text}");
        assert_eq!(Recording::read(file, text.as_bytes()).unwrap().0, recording);
        assert_eq!(recording.write(file).unwrap(), text);
    }
}
