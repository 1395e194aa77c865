//! The digest and editing in place, over manifests in every layout that people give them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchboard::manifest::{Bundle, edit};
use switchboard::model::{BundleFiles, Digest};

/// A manifest in pieces: what stands before the status's lines, around its value, and after them.
#[derive(Debug, Clone)]
struct Laid {
    before: String,
    lead: String,
    quote: &'static str,
    tail: String,
    after: String,
}

impl Laid {
    fn with(&self, status: &str) -> String {
        format!("{}{}{}{status}{}{}{}", self.before, self.lead, self.quote, self.quote, self.tail, self.after)
    }
}

const STATUSES: [&str; 3] = ["editing", "pre-published", "published"];

fn digest_of(manifest: &str, notes: &str) -> Option<Digest> {
    let files = BTreeMap::from([("connector.yaml".to_owned(), manifest.into()), ("notes.md".to_owned(), notes.into())]);
    Bundle::read("demo", &BundleFiles::new(files)).ok().map(|bundle| bundle.digest)
}

/// The other entries of a manifest, each in several layouts.
const ENTRIES: [&[&str]; 7] = [
    &["apiVersion: switchboard/v1", "apiVersion:   'switchboard/v1'   # v1", "\"apiVersion\": \"switchboard/v1\""],
    &["name: demo", "name:\n  demo", "? name\n: demo"],
    &["title: Démo 𝄞", "title: |\n  status: published\n  twice\n", "title: >+\n  folded\n\n"],
    &["description: \"a # b: c\\n\"", "description: it\n  goes\n  on", "# status: published\ndescription: 'don''t'"],
    &["kind: saas", "kind: self-built # status: editing", "kind: &k saas"],
    &["owner: alice@example.com", "owner: \"alice@example.com\"\n\n\n", "owner:\n\n  # who\n  alice@example.com"],
    &[
        "sharedWith: [bob@example.com, 'carol@example.com']",
        "sharedWith:\n- bob@example.com # b\n# between\n- carol@example.com",
        "sharedWith: [\n  bob@example.com, # first, of two\n  carol@example.com,\n]",
    ],
];

fn laid() -> impl Strategy<Value = Laid> {
    let entries = ENTRIES.map(|layouts| (0..layouts.len()).prop_map(move |layout| layouts[layout].to_owned())).to_vec();
    let lead = prop::sample::select(vec!["status: ", "status:    ", "'status': ", "\"status\" : ", "status:\n  ", "status: # soon\n    "]);
    let tail = prop::sample::select(vec!["", "  ", " # comment", "   #", "\t# tab"]);
    let quote = prop::sample::select(vec!["", "'", "\""]);
    let head = prop::sample::select(vec!["", "# head\n\n", "---\n", "\u{FEFF}# marked\n"]);
    let foot = prop::sample::select(vec!["", "\n# foot\n", "...\n"]);
    let flags = (any::<bool>(), any::<bool>());
    (entries.prop_shuffle(), 0..8_usize, lead, tail, quote, (head, foot), flags).prop_map(
        |(entries, at, lead, tail, quote, (head, foot), (crlf, ends_in_line))| {
            let at = at.min(entries.len());
            let lines = |entries: &[String]| entries.iter().map(|entry| format!("{}\n", entry.trim_end_matches('\n'))).collect::<String>();
            let after = format!("{}{foot}", lines(&entries[at..]));
            let end = if after.is_empty() && !ends_in_line { "" } else { "\n" };
            let ends = |text: String| if crlf { text.replace('\n', "\r\n") } else { text };
            Laid {
                before: ends(format!("{head}{}", lines(&entries[..at]))),
                lead: ends(lead.to_owned()),
                quote,
                tail: ends(format!("{tail}{end}")),
                after: ends(after),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn the_digest_is_the_same_whatever_the_status(manifest in laid()) {
        let digests = STATUSES.map(|status| digest_of(&manifest.with(status), ""));
        prop_assert!(digests[0].is_some(), "{}", manifest.with("editing"));
        prop_assert_eq!(digests[0], digests[1]);
        prop_assert_eq!(digests[0], digests[2]);
        let plain = Laid { lead: "status: ".to_owned(), quote: "", tail: if manifest.after.is_empty() { "" } else { "\n" }.to_owned(), ..manifest };
        prop_assert_eq!(digests[0], digest_of(&plain.with("editing"), ""), "the status's own layout does not count");
    }

    #[test]
    fn the_digest_changes_with_any_other_byte(manifest in laid(), at in any::<prop::sample::Index>(), byte in prop::sample::select(b" ax#:\n'-1".to_vec())) {
        let (before, after) = (manifest.before.as_bytes(), manifest.after.as_bytes());
        let at = at.index(before.len() + after.len());
        let mut bytes = [before, after].concat();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let (Ok(before), Ok(after)) = (String::from_utf8(bytes[..before.len()].to_vec()), String::from_utf8(bytes[before.len()..].to_vec())) else {
            return Ok(());
        };
        let first = digest_of(&manifest.with("editing"), "");
        if let Some(other) = digest_of(&Laid { before, after, ..manifest.clone() }.with("editing"), "") {
            prop_assert_ne!(first, Some(other));
        }
        prop_assert_ne!(first, digest_of(&manifest.with("editing"), "x"));
    }

    #[test]
    fn setting_the_status_changes_its_value_alone(manifest in laid(), status in prop::sample::select(STATUSES.to_vec())) {
        let changed = edit::set(&manifest.with("editing"), &["status"], status).unwrap();
        prop_assert_eq!(changed, manifest.with(status));
    }

    #[test]
    fn a_version_is_added_as_one_line(manifest in laid()) {
        let text = manifest.with("editing");
        let changed = edit::set(&text, &["version"], "1.2.0").unwrap();
        let lines: Vec<&str> = changed.lines().collect();
        let added = lines.iter().position(|line| *line == "version: 1.2.0").unwrap();
        let rest: Vec<&str> = lines.iter().enumerate().filter(|(line, _)| *line != added).map(|(_, line)| *line).collect();
        prop_assert_eq!(rest, text.lines().collect::<Vec<_>>());
        prop_assert!(lines[..added].iter().any(|line| line.contains("kind")), "after `kind`: {changed}");
        prop_assert_eq!(changed.contains("\r\n"), text.contains("\r\n"));
        prop_assert_eq!(changed.replace("\r\n", "").contains('\n'), text.replace("\r\n", "").contains('\n'));
    }

    #[test]
    fn any_text_can_be_set_and_read_back(manifest in laid(), value in "\\PC{0,12}|[ -~\n\t]{0,12}|null|0x1F|1e3|- a|#|a: b|'\"|é\u{1}\u{85}") {
        let changed = edit::set(&manifest.with("editing"), &["title"], &value).unwrap();
        prop_assert_eq!(edit::set(&changed, &["title"], &value).unwrap(), changed.clone(), "setting it again changes nothing");
        let read = switchboard::manifest::Document::parse("f", changed.as_bytes()).unwrap();
        prop_assert_eq!(read.value()["title"].as_str(), Some(value.as_str()));
    }

    #[test]
    fn sharing_and_taking_back_restores_the_file(manifest in laid()) {
        let text = manifest.with("editing");
        let shared = edit::add_to_list(&text, &["sharedWith"], "dave@example.com").unwrap();
        prop_assert!(shared.contains("dave@example.com"));
        prop_assert_eq!(edit::remove_from_list(&shared, &["sharedWith"], "dave@example.com").unwrap(), text.clone());
        for entry in ["bob@example.com", "carol@example.com"] {
            let removed = edit::remove_from_list(&text, &["sharedWith"], entry).unwrap();
            let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
            prop_assert!(!removed.contains(entry));
            prop_assert!(comments(&removed) + 1 >= comments(&text), "other lines' comments stay: {removed}");
        }
    }
}
