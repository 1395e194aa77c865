//! `review` is people's side: the whole case, a decision, by whom.

use crate::support::command::Team;

#[test]
fn the_whole_case_is_on_one_page() {
    let team = Team::in_review();
    let ran = team.run(&["review", "show", "#1"]).done();
    for part in [
        "Review #1  ",
        "  state         open\n",
        "\nRecord\n",
        "  version: 0.1.0\n",
        "\nNothing is published yet; the whole content is new\n  connector.yaml (new)\n",
        "\nCheck report: nothing wrong\n",
        "✓ Items › Reads an item",
        "\nWhat happened\n",
        "Open review #1",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing:\n{}", ran.out);
    }
    let json = team.run(&["review", "show", "1", "--output", "json"]).done().json();
    assert_eq!(json["review"]["connector"], "crm");
    assert_eq!(json["evidence"]["cases"].as_array().unwrap().len(), 5);
    assert!(!json["difference"].as_str().unwrap().contains('\u{1b}'));
}

#[test]
fn the_case_is_about_the_reviewed_content_whatever_was_committed_since() {
    let team = Team::published();
    team.run(&["edit", "crm", "--set", "title=Customers", "--set", "version=0.2.0", "--commit"]).done();
    team.run(&["apply"]).done();
    team.replace("connectors/crm/connector.yaml", "title: Customers", "title: A later edit");
    team.commit_all("Edit during the review");
    let ran = team.run(&["review", "show", "2"]).done();
    assert!(ran.out.contains("\nDifference from 0.1.0, which is published\n"), "{}", ran.out);
    assert!(ran.out.contains("  -title: Crm\n  +title: Customers\n") && !ran.out.contains("A later edit"), "{}", ran.out);
    assert!(team.run(&["list"]).done().out.contains("the end of review #2, which locks the content"));

    team.run(&["review", "approve", "2", "--by", "bob@example.com"]).done();
    team.run(&["apply"]);
    let first = team.run(&["review", "show", "1"]).done();
    assert!(first.out.contains("\nNothing was published before; the whole content was new\n"), "{}", first.out);
    let second = team.run(&["review", "show", "2"]).done();
    assert!(second.out.contains("\nDifference from 0.1.0, which was published before\n"), "{}", second.out);
    assert!(second.out.contains("  -title: Crm\n  +title: Customers\n"), "{}", second.out);
}

#[test]
fn approving_needs_a_second_person_and_publishes() {
    let team = Team::in_review();
    let ran = team.run(&["review", "approve", "1"]).failed();
    assert!(ran.err.contains("another person must approve"), "{}", ran.err);
    let ran = team.run(&["review", "approve", "1", "--by", "bob@example.com", "--comment", "good"]).done();
    assert!(ran.out.starts_with("Review #1 approved by bob@example.com; merged as "), "{}", ran.out);
    assert!(team.path("releases/crm/0.1.0.yaml").exists(), "the work tree was brought along");
    assert_eq!(team.dirty(), Vec::<String>::new());
    assert_eq!(team.run(&["apply"]).done().out, "crm: publish 0.1.0 to production by review #1\n");
    assert_eq!(team.stage("crm"), "published");
    let ran = team.run(&["review", "approve", "1", "--by", "bob@example.com"]).failed();
    assert!(ran.err.contains("it is closed: approved by bob@example.com"), "{}", ran.err);
    let listed = team.run(&["review", "list"]).done();
    assert!(listed.out.contains("#1  crm  0.1.0  approved by bob@example.com"), "{}", listed.out);
    assert_eq!(team.run(&["review", "list", "--open"]).done().out, "No reviews.\n");
}

#[test]
fn rejecting_needs_a_reason_and_can_be_taken_back() {
    let team = Team::in_review();
    team.run(&["review", "reject", "1", "--by", "bob@example.com"]).two();
    let ran = team.run(&["review", "reject", "1", "--reason", " ", "--by", "bob@example.com"]).two();
    assert!(ran.err.contains("the reason is empty"), "{}", ran.err);
    let json = team.run(&["review", "reject", "1", "--reason", "no docs", "--by", "bob@example.com", "--output", "json"]).done().json();
    assert_eq!(json, serde_json::json!({ "review": 1, "decision": "rejected", "by": "bob@example.com", "commit": null }));
    let listed = team.run(&["list"]).done();
    assert!(listed.out.contains("new content: review #1 was rejected by bob@example.com: no docs"), "{}", listed.out);
    team.run(&["review", "reopen", "1"]).done();
    assert_eq!(team.stage("crm"), "in-review");
    let ran = team.run(&["review", "reopen", "1"]).failed();
    assert!(ran.err.contains("it was not rejected: it is open"), "{}", ran.err);
}

#[test]
fn reasons_and_comments_are_short() {
    let team = Team::in_review();
    let (longest, longer) = ("é".repeat(2048), "é".repeat(2048) + ".");
    let decide = |verb: &str, flag: &str, word: &str| team.run(&["review", verb, "1", "--by", "bob@example.com", flag, word]);
    for (verb, flag, what) in [("reject", "--reason", "reason"), ("approve", "--comment", "comment")] {
        let ran = decide(verb, flag, &longer).two();
        let refusal = format!("error: cannot {verb} review 1: the {what} has 4097 bytes, and 4096 are the most\n");
        assert!(ran.err.starts_with(&refusal), "{}", ran.err);
    }
    decide("reject", "--reason", &longest).done();
    team.run(&["review", "reopen", "1"]).done();
    decide("approve", "--comment", &longest).done();
}

#[test]
fn uncommitted_work_in_the_way_of_the_merge_is_kept() {
    let team = Team::in_review();
    team.write("releases/crm/0.1.0.yaml", "mine");
    let ran = team.run(&["review", "approve", "1", "--by", "bob@example.com"]).failed();
    assert!(ran.err.contains("uncommitted changes in releases/crm/0.1.0.yaml"), "{}", ran.err);
    assert_eq!(team.read("releases/crm/0.1.0.yaml"), "mine");
    std::fs::remove_file(team.path("releases/crm/0.1.0.yaml")).unwrap();
    team.run(&["review", "approve", "1", "--by", "bob@example.com"]).done();
}

#[test]
fn a_number_that_is_none_is_wrong_usage() {
    let team = Team::with_crm();
    for verb in [&["show", "9"][..], &["approve", "9"], &["reject", "9", "--reason", "x"], &["reopen", "9"]] {
        let arguments: Vec<&str> = ["review"].iter().chain(verb).copied().collect();
        let ran = team.run(&arguments).two();
        assert!(ran.err.contains("there is no review of this number"), "{verb:?}: {}", ran.err);
    }
    team.run(&["review", "show", "crm"]).two();
    assert_eq!(team.run(&["review", "list"]).done().out, "No reviews.\n");
}

#[test]
fn nobody_decides_without_a_name() {
    let team = Team::in_review();
    team.identify("", "");
    let ran = team.run(&["review", "approve", "1"]).failed();
    assert!(ran.err.contains("git does not know who you are") && ran.err.contains("--by ADDRESS"), "{}", ran.err);
    let mut config = team.git().config().unwrap();
    config.set_str("user.email", "carol@example.com").unwrap();
    let ran = team.run(&["review", "approve", "1"]).done();
    assert!(ran.out.contains("approved by carol@example.com"), "the repository's own configuration counts: {}", ran.out);
}

#[test]
fn neither_who_asked_nor_who_changed_it_since_approves() {
    let team = Team::with_crm();
    team.run(&["publish", "crm", "--commit"]).done();
    team.write("connectors/crm/notes.md", "By Bob.\n");
    team.commit_all_as("Bob", "Add notes");
    team.run(&["apply"]).done();
    let shown = team.run(&["review", "show", "1"]).done().out;
    assert!(shown.contains("asked for by  Alice <alice@example.com>"), "{shown}");
    assert!(shown.contains("changed by    Bob <bob@example.com>"), "{shown}");
    for by in ["alice@example.com", "bob@example.com"] {
        let ran = team.run(&["review", "approve", "1", "--by", by]).failed();
        assert!(ran.err.contains("asked for it or changed it since"), "{}", ran.err);
    }
    team.run(&["review", "approve", "1", "--by", "carol@example.com"]).done();
    team.run(&["apply"]).done();
    assert_eq!(team.stage("crm"), "published");
}

#[test]
fn what_people_write_never_commands_a_terminal() {
    let team = Team::in_review();
    let (by, reason) = ("Bo\u{202E}b <bob@example.com>", "see\u{1b}]0;owned\u{7}\u{2066} the\u{9b}1m notes\u{1b}[2J");
    let mut told = vec![team.run(&["review", "reject", "1", "--by", by, "--reason", reason]).done()];
    for arguments in [
        &["apply"][..],
        &["list"],
        &["plan"],
        &["show", "crm"],
        &["explain", "crm"],
        &["review", "list"],
        &["review", "show", "1"],
        &["review", "approve", "1", "--by", "carol@example.com"],
        &["review", "reopen", "1", "--by", by],
        &["review", "approve", "1", "--by", by],
        &["show", "crm"],
    ] {
        told.push(team.run(arguments));
    }
    assert!(told.iter().any(|ran| ran.out.contains("rejected by Bo\u{fffd}b <bob@example.com>: see")), "{told:?}");
    assert!(told.iter().any(|ran| ran.err.contains("it is closed: rejected by Bo\u{fffd}b")), "{told:?}");
    for ran in told {
        let shown = format!("{}{}", ran.out, ran.err);
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202E}', '\u{2066}']), "{shown:?}");
    }
}
