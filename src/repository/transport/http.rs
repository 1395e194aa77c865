//! A remote behind http or https, over rustls: git's smart protocol, see gitprotocol-http(5).

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use git2::{Config, CredentialHelper};
use secrecy::{ExposeSecret, SecretString};
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};
use url::Url;

use super::{Credentials, GitOptions, Service, Session, pkt};

/// How many redirects of the first request are followed.
const MAX_REDIRECTS: usize = 5;
/// The most bytes of an answer beyond what the reader of the protocol bounds itself.
const MAX_ANSWER: u64 = 64 * 1024 * 1024 * 1024;

/// A repository behind an http or https URL.
#[derive(Debug)]
pub(in crate::repository) struct HttpRemote {
    agent: Agent,
    url: Url,
    user: Option<String>,
    helper: bool,
    git_config: Option<PathBuf>,
    /// The `Authorization` header that is sent; a helper's answer is kept for the next requests.
    authorization: Mutex<Option<SecretString>>,
}

impl HttpRemote {
    pub(super) fn new(url: &Url, user: Option<&str>, password: Option<&SecretString>, options: &GitOptions) -> Result<Self> {
        let authorization = match (&options.credentials, password) {
            (Credentials::Token(token), _) => Some(basic(user.unwrap_or("x-access-token"), token)),
            (Credentials::Basic { user, password }, _) => Some(basic(user, password)),
            (Credentials::Bearer(token), _) => Some(SecretString::from(format!("Bearer {}", token.expose_secret()))),
            (Credentials::None, Some(password)) => Some(basic(user.unwrap_or_default(), password)),
            (Credentials::None, None) => None,
        };
        Ok(Self {
            agent: agent(options)?,
            url: url.clone(),
            user: user.map(str::to_owned),
            helper: options.credential_helper,
            git_config: options.git_config.clone(),
            authorization: Mutex::new(authorization),
        })
    }

    pub(super) fn session(&self, service: Service) -> HttpSession<'_> {
        HttpSession { remote: self, service, base: self.url.clone() }
    }

    fn authorization(&self) -> Option<SecretString> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks git's credential helpers, once, where nothing else was given.
    fn ask_helper(&self) -> Option<SecretString> {
        if !self.helper || self.authorization().is_some() {
            return None;
        }
        let config = self.git_config.as_deref().map_or_else(Config::open_default, Config::open).ok()?;
        let mut helper = CredentialHelper::new(self.url.as_str());
        let (user, password) = helper.username(self.user.as_deref()).config(&config).execute()?;
        let header = basic(&user, &SecretString::from(password));
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(header.clone());
        Some(header)
    }
}

/// One conversation: the advertisement is asked for with GET, the question sent with POST.
pub(super) struct HttpSession<'r> {
    remote: &'r HttpRemote,
    service: Service,
    base: Url,
}

impl Session for HttpSession<'_> {
    fn advertisement(&mut self) -> Result<Box<dyn Read + '_>> {
        let response = self.first_request()?;
        let wanted = format!("application/x-{}-advertisement", self.service.name());
        if content_type(&response) != wanted {
            bail!("{} does not answer as a git server: check the URL", self.remote.url);
        }
        let mut body: Box<dyn Read + '_> = Box::new(response.into_body().into_with_config().limit(MAX_ANSWER).reader());
        // The service's name stands before the advertisement, in a section of its own.
        while pkt::read(&mut *body)?.is_some() {}
        Ok(body)
    }

    fn ask(&mut self, request: &[u8]) -> Result<Box<dyn Read + '_>> {
        let url = below(&self.base, self.service.name());
        let mut post = self.remote.agent.post(url.as_str());
        post = post.header("Content-Type", format!("application/x-{}-request", self.service.name()));
        post = post.header("Accept", format!("application/x-{}-result", self.service.name()));
        if let Some(header) = self.remote.authorization() {
            post = post.header("Authorization", header.expose_secret());
        }
        let response = post.send(request).map_err(|error| self.unreachable(&error))?;
        if response.status() != StatusCode::OK {
            return Err(self.refused(response.status()));
        }
        Ok(Box::new(response.into_body().into_with_config().limit(MAX_ANSWER).reader()))
    }
}

impl HttpSession<'_> {
    fn first_request(&mut self) -> Result<Response<Body>> {
        let mut helped = false;
        let mut redirects = 0;
        loop {
            let response = self.get()?;
            match response.status() {
                StatusCode::OK => return Ok(response),
                StatusCode::UNAUTHORIZED if !helped && self.remote.ask_helper().is_some() => helped = true,
                status if status.is_redirection() && redirects < MAX_REDIRECTS => {
                    self.base = self.redirected(&response)?;
                    redirects += 1;
                }
                status => return Err(self.refused(status)),
            }
        }
    }

    fn get(&self) -> Result<Response<Body>> {
        let mut url = below(&self.base, "info/refs");
        url.set_query(Some(&format!("service={}", self.service.name())));
        let mut get = self.remote.agent.get(url.as_str());
        if let Some(header) = self.remote.authorization() {
            get = get.header("Authorization", header.expose_secret());
        }
        get.call().map_err(|error| self.unreachable(&error))
    }

    /// Follows within one host, or from http to https there: credentials must not travel elsewhere.
    fn redirected(&self, response: &Response<Body>) -> Result<Url> {
        let url = &self.remote.url;
        let location = response.headers().get("location").and_then(|value| value.to_str().ok());
        let location = location.with_context(|| format!("{url} redirects without saying where"))?;
        let mut there =
            below(&self.base, "info/refs").join(location).with_context(|| format!("{url} redirects to a place that is no URL"))?;
        let same_server = there.origin() == self.base.origin();
        let upgraded = self.base.scheme() == "http" && there.scheme() == "https" && there.host_str() == self.base.host_str();
        if !same_server && !upgraded {
            let host = there.host_str().unwrap_or("another place");
            bail!("{url} redirects to {host}, which is not followed: give the new URL if the repository has moved");
        }
        there
            .set_username("")
            .and_then(|()| there.set_password(None))
            .map_err(|()| anyhow!("{url} redirects to a place without a host"))?;
        there.set_query(None);
        let path = there.path().strip_suffix("/info/refs").map(str::to_owned);
        let path = path.with_context(|| format!("{url} redirects to a page that is no repository: check the URL"))?;
        there.set_path(&path);
        Ok(there)
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        anyhow!("cannot reach {}: {error}", self.remote.url)
    }

    fn refused(&self, status: StatusCode) -> anyhow::Error {
        let url = &self.remote.url;
        let given = self.remote.authorization().is_some();
        let right = if self.service == Service::UploadPack { "read" } else { "write to" };
        match status {
            StatusCode::UNAUTHORIZED if given => {
                anyhow!("{url} does not accept the credentials: give a token that is valid and may {right} the repository")
            }
            StatusCode::UNAUTHORIZED => {
                anyhow!("{url} asks for credentials: give an access token, or configure a git credential helper for this host")
            }
            StatusCode::FORBIDDEN => anyhow!("{url} refuses access: give a token that may {right} the repository"),
            StatusCode::NOT_FOUND => {
                anyhow!("there is no repository at {url}, or it is hidden from these credentials: check the URL and the token's rights")
            }
            status => anyhow!("{url} answers with HTTP status {status}"),
        }
    }
}

fn agent(options: &GitOptions) -> Result<Agent> {
    let mut tls = TlsConfig::builder();
    if let Some(path) = &options.ca_file {
        tls = tls.root_certs(trusted(&std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)?);
    }
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("git/2 (switchboard ", env!("CARGO_PKG_VERSION"), ")"))
        .timeout_connect(Some(options.timeout.min(std::time::Duration::from_secs(30))))
        .timeout_global(Some(options.timeout))
        .tls_config(tls.build())
        .build();
    Ok(config.new_agent())
}

/// The certificates of a file.
fn trusted(pem: &[u8]) -> Result<RootCerts> {
    let mut found: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.context("the file of trusted certificates is not PEM")? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        bail!("the file of trusted certificates holds none");
    }
    Ok(RootCerts::Specific(Arc::new(found)))
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

fn content_type(response: &Response<Body>) -> String {
    let value = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_owned()
}

fn basic(user: &str, password: &SecretString) -> SecretString {
    SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", password.expose_secret()))))
}
