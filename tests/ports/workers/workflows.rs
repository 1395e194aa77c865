//! The check of flows without running them.

use switchboard::manifest::Bundle;

use super::{HEAD, files};

#[test]
fn checking_finds_problems_at_their_places() {
    let manifest = format!("{HEAD}actions:\n  a:\n    do:\n      - t: {{ set: {{ x: \"${{ .a | }}\" }}, thn: end }}\n");
    let bundle = Bundle::read("issues", &files(&manifest, "  - { title: x, action: a, expect: { output: 1 } }\n")).unwrap();
    let (problems, _) = switchboard::flow::check(&bundle);
    let shown: Vec<_> = problems.iter().map(|problem| (problem.code.as_str(), problem.place.line, problem.place.column)).collect();
    let line = u32::try_from(manifest.lines().count()).unwrap();
    assert_eq!(shown, [("SB310", line, 24), ("SB302", line, 39)], "{problems:?}");
}
