//! The repository adapter against real git servers on loopback: http through `git http-backend`, ssh through `sshd`, and file URLs.

use std::path::Path;

use secrecy::SecretString;
use switchboard::model::{CommitId, Person};
use switchboard::repository::{
    BranchProposal, Credentials, GitOptions, GitRepository, Head, Location, Pushed, RefChange, RefUpdate, Repository,
};
use tempfile::TempDir;

use crate::support::git::{TestRepo, delete_branch, moment};
use crate::support::git_http::HttpServer;
use crate::support::git_ssh::SshServer;

fn no_helper() -> GitOptions {
    GitOptions { credential_helper: false, ..GitOptions::default() }
}

fn open(url: &str, state: &TempDir, options: &GitOptions) -> GitRepository {
    GitRepository::open(&Location::parse(url).unwrap(), None, &state.path().join("mirror"), options).unwrap()
}

fn proposal(base: &CommitId) -> BranchProposal {
    BranchProposal {
        branch: "switchboard/a/1.0.0".to_owned(),
        base: base.clone(),
        path: "releases/a/1.0.0.yaml".to_owned(),
        content: b"record".to_vec(),
        message: "Publish a 1.0.0".to_owned(),
        at: moment(),
    }
}

fn change(name: &str, expected: Option<&CommitId>, new: Option<&CommitId>) -> RefChange {
    RefChange { name: name.to_owned(), expected: expected.cloned(), new: new.cloned() }
}

/// Everything that a remote must do, whichever way it is reached.
async fn story(test: &TestRepo, url: &str, options: &GitOptions) {
    let state = tempfile::tempdir().unwrap();
    let repo = open(url, &state, options);
    assert_eq!(repo.head().await.unwrap(), Head::EmptyRepository);
    let other = test.commit("other", &[("connectors/a/connector.yaml", Some(b"0"))]);
    assert_eq!(repo.head().await.unwrap(), Head::MissingBranch("main".to_owned()));
    let first = test.commit("main", &[("connectors/a/connector.yaml", Some(b"1"))]);
    assert_eq!(repo.head().await.unwrap(), Head::Commit(first.clone()));
    let trees: Vec<_> = repo.list(&first).await.unwrap().connectors.unwrap().into_values().collect();
    assert_eq!(repo.read_bundles(&trees).await[0].as_ref().unwrap().get("connector.yaml"), Some(b"1".as_slice()));

    let second = test.commit("main", &[("connectors/a/connector.yaml", Some(b"2"))]);
    assert_eq!(repo.head().await.unwrap(), Head::Commit(second.clone()));
    test.repo.reference("refs/heads/main", git2::Oid::from_str(first.as_str()).unwrap(), true, "").unwrap();
    let forced = test.commit("main", &[("connectors/a/connector.yaml", Some(b"3"))]);
    assert_eq!(repo.head().await.unwrap(), Head::Commit(forced.clone()), "after a force-push");
    assert!(repo.bundle_at(&second, "a").await.unwrap().is_some(), "what was replaced is still there");

    let Pushed::Created(commit) = repo.ensure_branch(&proposal(&forced)).await.unwrap() else { panic!() };
    assert_eq!(test.target("refs/heads/switchboard/a/1.0.0"), Some(commit.clone()));
    let again = open(url, &tempfile::tempdir().unwrap(), options);
    again.head().await.unwrap();
    let there = Pushed::AlreadyThere { commit: commit.clone(), content: b"record".to_vec() };
    assert_eq!(again.ensure_branch(&proposal(&forced)).await.unwrap(), there);

    let refs = repo.refs("refs/heads/").await.unwrap();
    assert_eq!(refs.len(), 3, "{refs:?}");
    let both = [change("refs/heads/main", Some(&forced), Some(&commit)), change("refs/switchboard/x", None, Some(&other))];
    let stale = [both[1].clone(), change("refs/heads/main", Some(&first), Some(&commit))];
    assert_eq!(repo.update_refs(&stale).await.unwrap(), RefUpdate::Stale("refs/heads/main".to_owned()));
    assert_eq!(test.target("refs/switchboard/x"), None, "none moves where one is stale");
    assert_eq!(repo.update_refs(&both).await.unwrap(), RefUpdate::Done);
    assert_eq!(test.target("refs/switchboard/x"), Some(other.clone()));
    assert_eq!(repo.refs("refs/switchboard/").await.unwrap(), [("refs/switchboard/x".to_owned(), other.clone())]);
    assert_eq!(repo.head().await.unwrap(), Head::Commit(commit));
    delete_branch(&again, "switchboard/a/1.0.0").await;
    assert_eq!(test.target("refs/heads/switchboard/a/1.0.0"), None);
    test.repo.find_reference("refs/heads/other").unwrap().delete().unwrap();
    repo.head().await.unwrap();
    assert_eq!(repo.refs("refs/heads/").await.unwrap().len(), 1, "what is gone there is gone here");
}

#[tokio::test]
async fn a_file_url_is_mirrored() {
    let test = TestRepo::bare();
    story(&test, &format!("file://{}", test.path().display()), &no_helper()).await;
}

#[tokio::test]
async fn http_is_mirrored() {
    let test = TestRepo::bare();
    let server = HttpServer::start(test.folder.path());
    story(&test, &server.url("repo"), &no_helper()).await;
}

#[tokio::test]
async fn http_takes_a_token_a_password_in_the_url_and_a_bearer_token() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let server = HttpServer::start(test.folder.path());
    let state = tempfile::tempdir().unwrap();
    // x-access-token:s3cret, bob:s3cret
    server.demand("Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0");
    let with = |credentials| GitOptions { credentials, ..no_helper() };
    let token = with(Credentials::Token(SecretString::from("s3cret".to_owned())));
    assert_eq!(open(&server.url("repo"), &state, &token).head().await.unwrap(), Head::Commit(id.clone()));
    server.demand("Basic Ym9iOnMzY3JldA==");
    let url = server.url("repo").replace("http://", "http://bob:s3cret@");
    assert_eq!(open(&url, &state, &no_helper()).head().await.unwrap(), Head::Commit(id.clone()));
    server.demand("Bearer s3cret");
    let bearer = with(Credentials::Bearer(SecretString::from("s3cret".to_owned())));
    assert_eq!(open(&server.url("repo"), &state, &bearer).head().await.unwrap(), Head::Commit(id));
}

#[tokio::test]
async fn refusals_say_what_to_do_and_never_show_credentials() {
    let test = TestRepo::bare();
    test.commit("main", &[("a", Some(b"1"))]);
    let server = HttpServer::start(test.folder.path());
    let state = tempfile::tempdir().unwrap();
    let failure = async |url: &str| format!("{:#}", open(url, &state, &no_helper()).head().await.unwrap_err());
    let missing = failure(&server.url("none")).await;
    assert!(missing.contains(&format!("there is no repository at {}", server.url("none"))), "{missing}");
    server.answer("/page/info/refs", "200 OK", "Content-Type: text/html\r\n", b"<html>");
    assert!(failure(&server.url("page")).await.contains("does not answer as a git server"));
    server.answer("/down/info/refs", "503 Service Unavailable", "", b"");
    assert!(failure(&server.url("down")).await.contains("HTTP status 503"));
    server.answer("/closed/info/refs", "403 Forbidden", "", b"");
    assert!(failure(&server.url("closed")).await.contains("give a token that may read the repository"));
    server.demand("Basic nobody");
    assert!(failure(&server.url("repo")).await.contains("asks for credentials"));
    let url = server.url("repo").replace("http://", "http://bob:s3cret@");
    let wrong = failure(&url).await;
    assert!(wrong.contains("does not accept the credentials") && !wrong.contains("s3cret") && !wrong.contains("bob"), "{wrong}");
    assert!(!format!("{:?}", open(&url, &state, &no_helper())).contains("s3cret"));
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_server_only() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let server = HttpServer::start(test.folder.path());
    let state = tempfile::tempdir().unwrap();
    server.answer("/old/info/refs", "301 Moved", "Location: /repo/info/refs?service=git-upload-pack\r\n", b"");
    assert_eq!(open(&server.url("old"), &state, &no_helper()).head().await.unwrap(), Head::Commit(id));
    for place in ["http://127.0.0.1:1/repo/info/refs", "https://example.invalid/repo/info/refs", "/login"] {
        server.answer("/old/info/refs", "302 Found", &format!("Location: {place}\r\n"), b"");
        let error = format!("{:#}", open(&server.url("old"), &state, &no_helper()).head().await.unwrap_err());
        assert!(error.contains("redirects to"), "{error}");
    }
    server.answer("/old/info/refs", "302 Found", "Location: /old/info/refs\r\n", b"");
    assert!(open(&server.url("old"), &state, &no_helper()).head().await.is_err(), "a loop ends");
}

#[tokio::test]
async fn a_push_that_loses_a_race_is_stale_and_moves_nothing() {
    let test = TestRepo::bare();
    let first = test.commit("main", &[("a", Some(b"1"))]);
    let second = CommitId::new(test.write_commit("Eve <eve@example.com>", git2::Oid::from_str(first.as_str()).ok(), &[]).to_string());
    let server = HttpServer::start(test.folder.path());
    let state = tempfile::tempdir().unwrap();
    let repo = open(&server.url("repo"), &state, &no_helper());
    repo.head().await.unwrap();
    let mine = repo.commit_file(Some(&first), "a", b"2", "mine", &Person::new("bob@example.com"), moment()).await.unwrap();
    let path = test.path();
    let (moved, faster) = (second.clone(), git2::Oid::from_str(second.as_str()).unwrap());
    server.behaviour.lock().unwrap().before_push = Some(Box::new(move || {
        git2::Repository::open(path).unwrap().reference("refs/heads/main", faster, true, "").unwrap();
    }));
    let changes = [change("refs/switchboard/x", None, Some(&mine)), change("refs/heads/main", Some(&first), Some(&mine))];
    assert_eq!(repo.update_refs(&changes).await.unwrap(), RefUpdate::Stale("refs/heads/main".to_owned()));
    assert_eq!(test.target("refs/heads/main"), Some(moved.clone()));
    assert_eq!(test.target("refs/switchboard/x"), None);
    assert_eq!(repo.refs("refs/heads/").await.unwrap(), [("refs/heads/main".to_owned(), moved)], "the mirror knows by now");
}

#[tokio::test]
async fn a_server_that_refuses_a_push_is_quoted() {
    let test = TestRepo::bare();
    let first = test.commit("main", &[("a", Some(b"1"))]);
    test.repo.config().unwrap().set_bool("receive.denyDeletes", true).unwrap();
    let server = HttpServer::start(test.folder.path());
    let state = tempfile::tempdir().unwrap();
    let repo = open(&server.url("repo"), &state, &no_helper());
    repo.head().await.unwrap();
    let error = format!("{:#}", repo.update_refs(&[change("refs/heads/main", Some(&first), None)]).await.unwrap_err());
    assert!(error.contains("refused to move refs/heads/main: deletion prohibited"), "{error}");
    server.answer("/repo/git-receive-pack", "403 Forbidden", "", b"");
    let error = format!("{:#}", repo.update_refs(&[change("refs/heads/x", None, Some(&first))]).await.unwrap_err());
    assert!(error.contains("may write to the repository"), "{error}");
}

#[tokio::test]
async fn nonsense_and_broken_off_answers_are_errors_and_the_mirror_stays_good() {
    let test = TestRepo::bare();
    let first = test.commit("main", &[("a", Some(b"1"))]);
    let server = HttpServer::start(test.folder.path());
    let state = tempfile::tempdir().unwrap();
    let repo = open(&server.url("repo"), &state, &no_helper());
    repo.head().await.unwrap();
    let second = test.commit("main", &[("a", Some(b"2"))]);
    let kind = "Content-Type: application/x-git-upload-pack-result\r\n";
    for body in [b"".as_slice(), b"0008NAK\n", b"0008NAK\n0009\x01PACK", b"0008NAK\n0009\x03full0000", b"zzzz", b"fff"] {
        server.answer("/repo/git-upload-pack", "200 OK", kind, body);
        assert!(repo.head().await.is_err(), "{body:?}");
        assert_eq!(repo.refs("refs/heads/").await.unwrap()[0].1, first);
    }
    server.behaviour.lock().unwrap().canned.clear();
    assert_eq!(repo.head().await.unwrap(), Head::Commit(second));
    let small = GitOptions { max_fetch: 50, ..no_helper() };
    let error = open(&server.url("repo"), &tempfile::tempdir().unwrap(), &small).head().await.unwrap_err();
    assert!(format!("{error:#}").contains("more than 50 bytes"), "{error:#}");
}

#[tokio::test]
async fn a_damaged_reference_is_no_deletion_in_the_source_and_in_nobodys_way_in_a_mirror() {
    let test = TestRepo::bare();
    let first = test.commit("main", &[("a", Some(b"1"))]);
    let state = tempfile::tempdir().unwrap();
    let repo = open(&format!("file://{}", test.path().display()), &state, &no_helper());
    repo.head().await.unwrap();
    let damage = |folder: &Path, branch: &str| std::fs::write(folder.join("refs/heads").join(branch), "").unwrap();

    damage(&state.path().join("mirror"), "long-gone");
    assert_eq!(repo.head().await.unwrap(), Head::Commit(first.clone()));
    damage(&test.path(), "main");
    assert!(format!("{:#}", repo.head().await.unwrap_err()).contains("cannot read refs/heads/main"));
    assert_eq!(repo.ref_target("refs/heads/main").await.unwrap(), Some(first));
}

#[tokio::test]
async fn ssh_is_mirrored_and_explains_what_fails() {
    let test = TestRepo::bare();
    let server = SshServer::start();
    story(&test, &server.url(&test.path()), &server.options("user_key")).await;

    let state = tempfile::tempdir().unwrap();
    let failure = async |url: &str, key: &str| format!("{:#}", open(url, &state, &server.options(key)).head().await.unwrap_err());
    let denied = failure(&server.url(&test.path()), "other_key").await;
    assert!(denied.contains("Permission denied"), "{denied}");
    let missing = failure(&server.url(&test.folder.path().join("none")), "user_key").await;
    assert!(missing.contains("does not appear to be a git repository"), "{missing}");
}

#[tokio::test]
async fn a_remote_that_disappears_is_an_error_until_it_is_back() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let state = tempfile::tempdir().unwrap();
    let repo = open(&format!("file://{}", test.path().display()), &state, &no_helper());
    repo.head().await.unwrap();
    std::fs::rename(test.path(), test.folder.path().join("away")).unwrap();
    assert!(repo.head().await.is_err());
    assert!(repo.list(&id).await.is_ok(), "what was fetched can be read");
    std::fs::rename(test.folder.path().join("away"), test.path()).unwrap();
    assert_eq!(repo.head().await.unwrap(), Head::Commit(id));
}

#[tokio::test]
async fn a_mirror_stays_tidy_however_often_it_fetches() {
    let test = TestRepo::bare();
    let state = tempfile::tempdir().unwrap();
    let repo = open(&format!("file://{}", test.path().display()), &state, &no_helper());
    let mut commits = Vec::new();
    for n in 0..110 {
        commits.push(test.commit("main", &[("connectors/a/connector.yaml", Some(format!("{n}").as_bytes()))]));
        repo.head().await.unwrap();
    }
    let packs = std::fs::read_dir(state.path().join("mirror/objects/pack")).unwrap();
    let packs = packs.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "pack")).count();
    assert!((1..=51).contains(&packs), "{packs} packs");
    for (n, commit) in commits.iter().enumerate() {
        let bundle = repo.bundle_at(commit, "a").await.unwrap().unwrap();
        assert_eq!(bundle.get("connector.yaml"), Some(format!("{n}").as_bytes()));
    }
}

#[tokio::test]
async fn a_credential_helper_is_asked_where_nothing_else_is_given() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let server = HttpServer::start(test.folder.path());
    server.demand("Basic Ym9iOnMzY3JldA==");
    let config = test.folder.path().join("gitconfig");
    std::fs::write(&config, "[credential]\n\thelper = \"!f() { echo username=bob; echo password=s3cret; }; f\"\n").unwrap();
    let helped = GitOptions { git_config: Some(config), ..GitOptions::default() };
    let repo = open(&server.url("repo"), &tempfile::tempdir().unwrap(), &helped);
    assert_eq!(repo.head().await.unwrap(), Head::Commit(id.clone()));
    assert_eq!(repo.update_refs(&[change("refs/heads/x", None, Some(&id))]).await.unwrap(), RefUpdate::Done);
    let refused = server.behaviour.lock().unwrap().seen.len();
    assert_eq!(refused, 5, "one request was refused, and the helper's answer was kept");
}

#[tokio::test]
async fn https_is_mirrored_where_the_certificate_is_trusted() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let (server, pem) = HttpServer::start_tls(test.folder.path());
    let url = server.url("repo").replace("http://", "https://");
    let state = tempfile::tempdir().unwrap();
    let error = format!("{:#}", open(&url, &state, &no_helper()).head().await.unwrap_err());
    assert!(error.contains("cannot reach") && error.contains("certificate"), "{error}");
    let ca = test.folder.path().join("ca.pem");
    std::fs::write(&ca, pem).unwrap();
    let trusting = GitOptions { ca_file: Some(ca), ..no_helper() };
    let repo = open(&url, &state, &trusting);
    assert_eq!(repo.head().await.unwrap(), Head::Commit(id.clone()));
    assert_eq!(repo.update_refs(&[change("refs/heads/x", None, Some(&id))]).await.unwrap(), RefUpdate::Done);
    let upgraded = HttpServer::start(test.folder.path());
    upgraded.answer("/repo/info/refs", "301 Moved", &format!("Location: {url}/info/refs?service=git-upload-pack\r\n"), b"");
    assert_eq!(open(&upgraded.url("repo"), &state, &trusting).head().await.unwrap(), Head::Commit(id));
}
