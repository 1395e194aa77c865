//! The files of `examples/quickstart`, built into the program so that the demo runs anywhere.

macro_rules! files {
    ($($path:literal)*) => {
        /// Each file's path in the team's repository, and its content.
        pub const FILES: &[(&str, &[u8])] = &[$(($path, include_bytes!(concat!("../../../examples/quickstart/", $path)))),*];
    };
}

files! {
    ".gitignore"
    "switchboard.yaml"
    "connections/test/github-issues.yaml"
    "connectors/github-issues/connector.yaml"
    "connectors/github-issues/icon.svg"
    "connectors/github-issues/notes.md"
    "connectors/github-issues/tests/connection.yaml"
    "connectors/github-issues/tests/create-issue.yaml"
    "connectors/github-issues/tests/get-issue.yaml"
    "connectors/openaq-air-quality/connector.yaml"
    "connectors/openaq-air-quality/icon.svg"
    "connectors/openaq-air-quality/notes.md"
    "connectors/openaq-air-quality/tests/connection.yaml"
    "connectors/openaq-air-quality/tests/latest.yaml"
    "connectors/openaq-air-quality/tests/stations.yaml"
    "connectors/typeform-responses/connector.yaml"
    "connectors/typeform-responses/icon.svg"
    "connectors/typeform-responses/notes.md"
    "connectors/typeform-responses/tests/connection.yaml"
    "connectors/typeform-responses/tests/get-form.yaml"
    "connectors/typeform-responses/tests/response-submitted.yaml"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::FILES;

    fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn every_file_of_the_example_is_built_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
        let mut found = Vec::new();
        walk(&root, &mut found);
        let found: BTreeSet<&str> = found.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
        let built_in: BTreeSet<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(built_in, found);
    }
}
