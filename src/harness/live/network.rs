//! The network itself: HTTP clients that connect only to addresses that were checked after they were looked up.

use std::error::Error;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fmt, io};

use async_trait::async_trait;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use rustls::CertificateError;

use super::addresses::{Addresses, Refused};
use super::authorities::Authorities;

/// How long it may take to reach a service.
const CONNECT: Duration = Duration::from_secs(10);
/// How many connections to one service are kept open for the next request.
const IDLE_CONNECTIONS: usize = 64;

/// Looks names up.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The addresses of a name.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own way to look names up.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let name = name.to_owned();
        let found = tokio::task::spawn_blocking(move || Ok((name.as_str(), 0).to_socket_addrs()?.map(|address| address.ip()).collect()));
        found.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// The network, with connections that are kept open. Cheap to clone: clones share them.
#[derive(Clone)]
pub struct Network(Arc<Clients>);

/// Two clients, so that no connection to a special address is ever reused by a run that may not have opened it.
struct Clients {
    resolver: Arc<dyn Resolver>,
    authorities: Authorities,
    public: OnceLock<Result<Client, String>>,
    any: OnceLock<Result<Client, String>>,
}

impl Default for Network {
    fn default() -> Self {
        Self::new(Arc::new(SystemResolver), Authorities::default())
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    /// A network whose names are looked up in this way, and whose services may have their certificates of these authorities, too.
    /// Nothing is opened before it is needed.
    pub fn new(resolver: Arc<dyn Resolver>, authorities: Authorities) -> Self {
        Self(Arc::new(Clients { resolver, authorities, public: OnceLock::new(), any: OnceLock::new() }))
    }

    /// The client for these addresses, or why there is none.
    pub(super) fn client(&self, addresses: Addresses) -> Result<&Client, String> {
        let client = match addresses {
            Addresses::Public => &self.0.public,
            Addresses::Any => &self.0.any,
        };
        client.get_or_init(|| client_for(addresses, &self.0)).as_ref().map_err(Clone::clone)
    }
}

fn client_for(addresses: Addresses, Clients { resolver, authorities, .. }: &Clients) -> Result<Client, String> {
    // Another part of the program may have installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        Client::builder()
            .dns_resolver(Checked { resolver: Arc::clone(resolver), addresses })
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
    };
    // A machine that trusts no authority by itself can reach services that need none, or one that is given.
    let beside = builder().tls_certs_merge(authorities.certificates()).build();
    let built = beside.or_else(|_| builder().tls_certs_only(authorities.certificates()).build());
    built.map_err(|error| format!("no HTTP client can be made: {}", cause(&error)))
}

/// Hands on only addresses that may be reached. What connects uses these and looks nothing up again.
struct Checked {
    resolver: Arc<dyn Resolver>,
    addresses: Addresses,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, addresses) = (Arc::clone(&self.resolver), self.addresses);
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await?;
            let allowed = addresses.allowed(name.as_str(), found)?;
            Ok(Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The refusal behind an error, where there is one.
pub(super) fn refusal(error: &reqwest::Error) -> Option<&Refused> {
    chain(error).find_map(|cause| cause.downcast_ref::<Refused>())
}

/// What is wrong with a service's certificate and what to do about it, where that is why there is no connection.
pub(super) fn distrust(error: &reqwest::Error, host: &str) -> Option<String> {
    let rustls::Error::InvalidCertificate(flaw) = chain(error).find_map(|cause| tls(cause))? else { return None };
    Some(match flaw {
        CertificateError::UnknownIssuer => format!(
            "the certificate of `{host}` is of no authority that is trusted here: where it is an authority of your own, give its certificate \
             with --ca-file or SWITCHBOARD_CA_FILE"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the certificate of `{host}` is for another name: use the name it is for, or have it issued for this one, too")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of `{host}` has expired: have it renewed")
        }
        flaw => format!("the certificate of `{host}` cannot be trusted: {flaw}"),
    })
}

/// The error of TLS in another. What an error of I/O holds is none of its sources.
fn tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    match error.downcast_ref::<io::Error>() {
        None => error.downcast_ref(),
        Some(error) => tls(error.get_ref()?),
    }
}

/// What an error comes from in the end: without the address, which may hold secrets.
pub(super) fn cause(error: &reqwest::Error) -> String {
    match chain(error).skip(1).last() {
        Some(last) => last.to_string(),
        None => "the request failed".to_owned(),
    }
}

fn chain<'e>(error: &'e reqwest::Error) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error as &'e (dyn Error + 'static)), |error: &&'e (dyn Error + 'static)| (*error).source())
}
