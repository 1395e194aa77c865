//! Who acts: the person named, or git's identity, by the repository's own configuration where there is one.

use super::Door;
use super::failure::Failure;
use crate::manifest::is_obeyed;
use crate::model::Person;
use crate::settings::SiteLocation;

/// The person named with `--by`, else git's identity; `attempt` is what it is needed for.
pub fn who(door: &Door, by: Option<&str>, attempt: &str) -> Result<Person, Failure> {
    match by {
        Some(by) if is_address(Person::new(by).email()) => Ok(Person::new(by)),
        Some(by) => Err(Failure::usage(attempt, format!("`{by}` is not an address")).hint("Write it like bob@example.com.")),
        None => of_git(door).ok_or_else(|| {
            Failure::refused(attempt, "git does not know who you are")
                .hint("Name yourself with --by ADDRESS, or run `git config --global user.email ADDRESS`.")
        }),
    }
}

/// Whether a text can be an address: what identity is compared by.
pub fn is_address(text: &str) -> bool {
    matches!(text.split_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty())
        && !text.contains(|c: char| c.is_whitespace() || is_obeyed(c) || matches!(c, '<' | '>'))
}

fn of_git(door: &Door) -> Option<Person> {
    let own = match door.settings.site().ok()?.location {
        SiteLocation::Local { git, .. } => git2::Repository::open(git).and_then(|repository| repository.config()),
        SiteLocation::Remote { .. } => git2::Config::open_default(),
    };
    let config = own.and_then(|mut config| config.snapshot()).ok()?;
    let email = config.get_str("user.email").ok()?;
    Some(Person::from_parts(config.get_str("user.name").unwrap_or_default(), email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        assert!(is_address("bob@example.com"));
        for wrong in ["bob", "@example.com", "bob@", "b b@example.com", "<bob@example.com>", "bob@ex\nample.com", "bob@\u{202E}example.com"]
        {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
