//! Where a repository is: a path, used in place, or a URL, mirrored. Credentials in a URL are taken out and never shown.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

/// A repository's place, as given by the user.
#[derive(Debug, Clone)]
pub enum Location {
    /// A work tree or a bare repository on this machine, used in place.
    Local(PathBuf),
    /// A repository behind a URL, mirrored into the state folder.
    Remote(RemoteUrl),
}

/// A remote repository, by how it is reached.
#[derive(Debug, Clone)]
pub enum RemoteUrl {
    /// `file:///path`.
    File(PathBuf),
    /// `http://…` or `https://…`, without user and password.
    Http {
        /// The address proper.
        url: Url,
        /// The user named in the URL.
        user: Option<String>,
        /// The password named in the URL.
        password: Option<SecretString>,
    },
    /// `ssh://[user@]host[:port]/path` or `[user@]host:path`.
    Ssh {
        /// The user, where one is named.
        user: Option<String>,
        /// The host.
        host: String,
        /// The port, where one is named.
        port: Option<u16>,
        /// The path on that host.
        path: String,
    },
}

/// Why a text does not say where a repository is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing was given.
    #[error("the repository's location is empty")]
    Empty,
    /// A scheme nobody here speaks.
    #[error("cannot reach a repository over {0}://: use a path, file://, http(s)://, ssh:// or user@host:path")]
    Scheme(String),
    /// The text looks like a URL and is not one. The text itself is not repeated: it may hold a password.
    #[error("not a usable repository URL: {0}")]
    Url(String),
    /// A part that `ssh` would take for an option.
    #[error("refused: the {0} of an ssh location must not begin with a hyphen")]
    Option(&'static str),
}

impl Location {
    /// Tells paths and URLs apart as git does: `host:path` is ssh unless a slash comes before the colon.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        if text.contains("://") {
            return parse_url(text).map(Location::Remote);
        }
        match text.split_once(':') {
            Some((host, path)) if !host.is_empty() && !host.contains('/') => {
                let (user, host) = split_user(host);
                ssh(user, host, None, path.to_owned()).map(Location::Remote)
            }
            _ => Ok(Location::Local(PathBuf::from(text))),
        }
    }

    /// The path, where the repository is used in place.
    pub fn local_path(&self) -> Option<&Path> {
        match self {
            Location::Local(path) => Some(path),
            Location::Remote(_) => None,
        }
    }
}

fn parse_url(text: &str) -> Result<RemoteUrl, LocationError> {
    let scheme = text.split("://").next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(scheme.as_str(), "file" | "http" | "https" | "ssh") {
        return Err(LocationError::Scheme(scheme.chars().filter(char::is_ascii_alphanumeric).take(20).collect()));
    }
    let mut url = Url::parse(text).map_err(|error| LocationError::Url(error.to_string()))?;
    match scheme.as_str() {
        "file" => {
            let path = url.to_file_path().map_err(|()| LocationError::Url("a file:// URL must hold an absolute path".to_owned()))?;
            Ok(RemoteUrl::File(path))
        }
        "ssh" => {
            let host = url.host_str().unwrap_or_default().to_owned();
            let user = (!url.username().is_empty()).then(|| percent_decode(url.username()));
            let path = percent_decode(url.path());
            // `ssh://host/~user/x` means the home folder of that user, as in git.
            let path = if path.starts_with("/~") { path[1..].to_owned() } else { path };
            ssh(user, host, url.port(), path)
        }
        _ => {
            let user = (!url.username().is_empty()).then(|| percent_decode(url.username()));
            let password = url.password().map(|password| SecretString::from(percent_decode(password)));
            let cleared = url.set_username("").and_then(|()| url.set_password(None));
            cleared.map_err(|()| LocationError::Url("it names no host".to_owned()))?;
            url.set_query(None);
            url.set_fragment(None);
            Ok(RemoteUrl::Http { url, user, password })
        }
    }
}

fn ssh(user: Option<String>, host: String, port: Option<u16>, path: String) -> Result<RemoteUrl, LocationError> {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    for (part, text) in [("user", user.as_deref().unwrap_or("u")), ("host", host.as_str()), ("path", path.as_str())] {
        if text.starts_with('-') {
            return Err(LocationError::Option(part));
        }
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(LocationError::Url(format!("the {part} is empty or holds control characters")));
        }
    }
    Ok(RemoteUrl::Ssh { user, host, port, path })
}

fn split_user(host: &str) -> (Option<String>, String) {
    match host.rsplit_once('@') {
        // A password has no place in `user:password@host:path`; git does not know it either.
        Some((user, host)) => (Some(user.to_owned()), host.to_owned()),
        None => (None, host.to_owned()),
    }
}

fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Local(path) => write!(f, "{}", path.display()),
            Location::Remote(url) => write!(f, "{url}"),
        }
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteUrl::File(path) => write!(f, "file://{}", path.display()),
            RemoteUrl::Http { url, .. } => write!(f, "{url}"),
            RemoteUrl::Ssh { host, port, path, .. } => {
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                write!(f, "ssh://{host}{port}/{}", path.trim_start_matches('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn shown(text: &str) -> String {
        Location::parse(text).unwrap().to_string()
    }

    #[test]
    fn paths_and_urls_are_told_apart() {
        assert!(Location::parse("/srv/repo").unwrap().local_path().is_some());
        assert!(Location::parse("./a:b").unwrap().local_path().is_some());
        assert!(Location::parse("team").unwrap().local_path().is_some());
        assert_eq!(shown("file:///srv/a%20b"), "file:///srv/a b");
        assert_eq!(shown("https://example.com/team/repo.git"), "https://example.com/team/repo.git");
        assert_eq!(shown("git@example.com:team/repo.git"), "ssh://example.com/team/repo.git");
        assert_eq!(shown("ssh://git@example.com:2222/team/repo.git"), "ssh://example.com:2222/team/repo.git");
        let Ok(Location::Remote(RemoteUrl::Ssh { path, .. })) = Location::parse("ssh://h/~bob/x") else { panic!() };
        assert_eq!(path, "~bob/x");
    }

    #[test]
    fn credentials_are_kept_apart_and_never_shown() {
        let location = Location::parse("https://bob:p%40ss+w&=d@example.com/r?token=x").unwrap();
        assert_eq!(location.to_string(), "https://example.com/r");
        assert!(!format!("{location:?}").contains("ss+w"));
        let Location::Remote(RemoteUrl::Http { user, password, .. }) = location else { panic!() };
        assert_eq!((user.as_deref(), password.unwrap().expose_secret()), (Some("bob"), "p@ss+w&=d"));
        let error = Location::parse("https://bob:secret@:x/").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn what_ssh_would_take_for_an_option_is_refused() {
        for text in ["-oProxyCommand=x:path", "ssh://-oProxyCommand=x/path", "host:-x", "-u@host:path"] {
            assert!(matches!(Location::parse(text), Err(LocationError::Option(_) | LocationError::Url(_))), "{text}");
        }
        assert_eq!(Location::parse("ext::sh -c x://y").unwrap_err(), LocationError::Scheme("extshcx".to_owned()));
        assert_eq!(Location::parse("").unwrap_err(), LocationError::Empty);
    }
}
