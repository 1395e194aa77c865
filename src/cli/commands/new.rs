//! `new`: adds a connector that validates and whose test passes, as a place to begin.

use crate::cli::Door;
use crate::cli::change::Changed;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::working_files::WorkingFiles;
use crate::model::{BundleFiles, ConnectorName, Kind};

/// Flags of `new`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The connector's name: lowercase letters, digits and single hyphens
    name: String,

    /// saas: a hosted service; self-built: something of your own
    #[arg(long, value_parser = kind)]
    kind: Kind,

    /// Who may edit it: an address [default: git's user.email]
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,

    /// What people call it [default: the name in words]
    #[arg(long)]
    title: Option<String>,

    /// Commit the connector, and nothing else
    #[arg(long)]
    commit: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "saas" => Ok(Kind::Saas),
        "self-built" => Ok(Kind::SelfBuilt),
        _ => Err("expected saas (a hosted service) or self-built (something of your own)".to_owned()),
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let attempt = format!("add {}", arguments.name);
    let work_tree = WorkingFiles::open(door, &attempt)?;
    let connector: ConnectorName = match arguments.name.parse() {
        Ok(name) => name,
        Err(error) => {
            let failure = Failure::usage(attempt, format!("{error}"));
            return Err(match suggestion(&arguments.name) {
                Some(name) => failure.hint(format!("`{name}` would do.")),
                None => failure,
            });
        }
    };
    if work_tree.folder(connector.as_str()).exists() {
        return Err(Failure::refused(attempt, format!("connectors/{connector} exists already"))
            .hint(format!("Choose another name, or change it with `switchboard edit {connector}`.")));
    }
    if arguments.commit {
        work_tree.refuse_uncommittable(&attempt)?;
    }
    let owner = arguments.owner.or_else(|| work_tree.identity().map(|person| person.email().to_owned()));
    let Some(owner) = owner else {
        return Err(Failure::refused(attempt, "it needs an owner, and git does not know who you are")
            .hint("Name one with --owner ADDRESS, or run `git config --global user.email ADDRESS`."));
    };
    let title = arguments.title.unwrap_or_else(|| in_words(connector.as_str()));
    let files = files(&connector, arguments.kind, &owner, &title);
    refuse_unsound(&connector, &files, &attempt)?;
    let path = format!("connectors/{connector}");
    for (file, bytes) in files.iter() {
        work_tree.files.write(&format!("{path}/{file}"), bytes)?;
    }
    let commit = if arguments.commit { Some(work_tree.commit(&[path.as_str()], &format!("Add {connector}"))?) } else { None };
    let next = format!("Next: edit {path}/connector.yaml, then `switchboard validate {connector}` and `switchboard test {connector}`.");
    let summary = format!("Added {path}");
    door.shell.result(&Changed { connector, summary, changed: true, commit, next })?;
    Ok(Outcome::Done)
}

/// The files of a new connector.
fn files(connector: &ConnectorName, kind: Kind, owner: &str, title: &str) -> BundleFiles {
    // Values from outside are written as JSON, which YAML reads as quoted text, unless they are plain words.
    let plain = |text: &str| {
        let is_plain = text.starts_with(char::is_alphabetic)
            && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '@' | '.' | '+' | '_'));
        let is_word = !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
        if is_plain && is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
    };
    let description = plain(&format!("Reads items of {title} by their id."));
    let manifest = include_str!("template/connector.yaml")
        .replace("description: Reads items of {{title}} by their id.", &format!("description: {description}"))
        .replace("{{name}}", connector.as_str())
        .replace("{{kind}}", &kind.to_string())
        .replace("{{owner}}", &plain(owner))
        .replace("{{title}}", &plain(title));
    let manifest = match kind {
        Kind::SelfBuilt => manifest,
        // A saas connector needs no version; its content labels it until someone gives it one.
        Kind::Saas => manifest.replace("version: 0.1.0\n", ""),
    };
    let suites = [
        ("tests/get-item.yaml", include_str!("template/get-item.yaml")),
        ("tests/connection.yaml", include_str!("template/connection.yaml")),
    ];
    let suites = suites.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    BundleFiles::new(suites.chain([("connector.yaml".to_owned(), manifest.into_bytes())]).collect())
}

/// An owner or a title that gives a broken manifest is the caller's mistake.
fn refuse_unsound(connector: &ConnectorName, files: &BundleFiles, attempt: &str) -> Result<(), Failure> {
    match crate::manifest::Bundle::read(connector.as_str(), files) {
        Ok(_) => Ok(()),
        Err(problems) => {
            let reason = problems.first().map_or_else(String::new, |problem| problem.message.clone());
            let hint = problems.first().and_then(|problem| problem.hint.clone());
            let failure = Failure::usage(attempt, reason);
            Err(match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            })
        }
    }
}

/// `github-issues` as people write it: `Github issues` in words.
fn in_words(name: &str) -> String {
    let words: Vec<String> = name.split('-').map(capitalised).collect();
    words.join(" ")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The name that was probably meant.
fn suggestion(text: &str) -> Option<String> {
    let words: Vec<String> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let name = words.join("-");
    name.parse::<ConnectorName>().is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_titles_and_texts_become_names() {
        assert_eq!(in_words("github-issues"), "Github Issues");
        assert_eq!(suggestion("GitHub Issues!").as_deref(), Some("github-issues"));
        assert_eq!(suggestion("!!"), None);
    }

    #[test]
    fn odd_titles_stay_text() {
        for title in ["C# \"tools\": #1", "true", "a: b", "- x", "{{owner}}"] {
            let bundle = crate::manifest::Bundle::read("x", &files(&"x".parse().unwrap(), Kind::Saas, "a@example.com", title)).unwrap();
            assert_eq!(bundle.manifest.title, title);
        }
    }
}
