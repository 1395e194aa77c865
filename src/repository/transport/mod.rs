//! Speaks git's own protocol with a remote over http(s), ssh or the file system. libgit2's transports can be exchanged only through
//! unsafe code and know no lease; speaking the protocol gives both, since the server itself compares the old value of each reference.

mod advert;
mod file;
mod http;
mod pkt;
mod service;
mod ssh;

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use git2::Repository;
use secrecy::SecretString;

pub(super) use advert::Advert;

use super::{RefChange, RefUpdate, RemoteUrl};

/// How a remote is reached; a local repository needs none of it.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// Who Switchboard is to an http(s) remote. They go before a user and password in the URL.
    pub credentials: Credentials,
    /// Whether git's own credential helpers are asked when a remote wants credentials and none are given.
    pub credential_helper: bool,
    /// The git configuration that names these helpers, instead of the user's own.
    pub git_config: Option<PathBuf>,
    /// A file of PEM certificates to trust for https instead of the well-known ones.
    pub ca_file: Option<PathBuf>,
    /// The program that speaks ssh.
    pub ssh_program: PathBuf,
    /// Arguments for it that go before Switchboard's own, such as `-i KEY`.
    pub ssh_args: Vec<String>,
    /// How long one exchange with a remote may take.
    pub timeout: Duration,
    /// The most bytes one fetch may bring.
    pub max_fetch: u64,
}

/// What proves to an http(s) remote who asks.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Nothing is given.
    #[default]
    None,
    /// An access token, sent as the password, which is what the forges take for git.
    Token(SecretString),
    /// A user with a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A token for servers that want it as a bearer token.
    Bearer(SecretString),
}

impl Default for GitOptions {
    fn default() -> Self {
        Self {
            credentials: Credentials::None,
            credential_helper: true,
            git_config: None,
            ca_file: None,
            ssh_program: PathBuf::from("ssh"),
            ssh_args: Vec::new(),
            timeout: Duration::from_secs(600),
            max_fetch: 4 * 1024 * 1024 * 1024,
        }
    }
}

/// One of git's two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    UploadPack,
    ReceivePack,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Service::UploadPack => "git-upload-pack",
            Service::ReceivePack => "git-receive-pack",
        }
    }
}

/// One conversation with a service: it advertises, is asked once, and answers.
trait Session {
    /// The advertisement, from its first reference on.
    fn advertisement(&mut self) -> Result<Box<dyn Read + '_>>;

    /// Sends everything there is to say and gives the answer. Not to be called where there is nothing to ask.
    fn ask(&mut self, request: &[u8]) -> Result<Box<dyn Read + '_>>;

    /// Explains a conversation that broke off, where this side knows more than that it did.
    fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        error
    }
}

/// A remote repository that can be fetched from and pushed to.
#[derive(Debug)]
pub(super) enum Remote {
    File(file::FileRemote),
    Http(Box<http::HttpRemote>),
    Ssh(ssh::SshRemote),
}

impl Remote {
    pub(super) fn new(url: &RemoteUrl, options: &GitOptions) -> Result<Self> {
        Ok(match url {
            RemoteUrl::File(path) => Remote::File(file::FileRemote::new(path)),
            RemoteUrl::Http { url, user, password } => {
                Remote::Http(Box::new(http::HttpRemote::new(url, user.as_deref(), password.as_ref(), options)?))
            }
            RemoteUrl::Ssh { user, host, port, path } => Remote::Ssh(ssh::SshRemote::new(user.as_deref(), host, *port, path, options)),
        })
    }

    /// Brings the objects of all of the remote's branches into the mirror and tells what the remote holds.
    pub(super) fn fetch(&self, mirror: &Repository, max_bytes: u64) -> Result<Advert> {
        match self {
            Remote::File(remote) => remote.fetch(mirror),
            Remote::Http(_) | Remote::Ssh(_) => service::fetch(&mut *self.session(Service::UploadPack)?, mirror, max_bytes),
        }
    }

    /// Moves references of the remote, all or none, each only from its expected value.
    pub(super) fn push(&self, mirror: &Repository, changes: &[RefChange]) -> Result<RefUpdate> {
        match self {
            Remote::File(remote) => remote.push(mirror, changes),
            Remote::Http(_) | Remote::Ssh(_) => service::push(&|| self.session(Service::ReceivePack), mirror, changes),
        }
    }

    fn session(&self, service: Service) -> Result<Box<dyn Session + '_>> {
        Ok(match self {
            Remote::File(_) => anyhow::bail!("a file:// remote is read without a conversation"),
            Remote::Http(remote) => Box::new(remote.session(service)),
            Remote::Ssh(remote) => Box::new(remote.session(service)?),
        })
    }
}
