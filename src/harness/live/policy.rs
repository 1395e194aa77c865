//! What one run may reach: hosts, addresses, and where requests go instead.

use std::net::IpAddr;

use url::{Host, Url};

use super::addresses::Addresses;
use crate::flow::{Unanswered, hosts};

/// What one run may reach.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The only hosts that may be reached (exact names, or `*.example.com`); `None` for any.
    pub hosts: Option<Vec<String>>,
    /// Which addresses they may have.
    pub addresses: Addresses,
    /// Where requests go instead of where they are meant for.
    pub mappings: Vec<HostMapping>,
}

/// Sends requests for a host to another base address. Where they go is up to whoever runs the flow, so no list forbids it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMapping {
    /// The host's name, in small letters.
    host: String,
    /// Only for this port, where one is given.
    port: Option<u16>,
    /// Where requests go; their paths are appended.
    base: Url,
}

/// Where a request really goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) url: Url,
    pub(super) addresses: Addresses,
}

impl HostMapping {
    /// Reads `HOST=URL` or `HOST:PORT=URL`; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (host, base) = text.split_once('=').ok_or("expected HOST=URL, such as api.example.com=http://127.0.0.1:8080")?;
        let meant = Url::parse(&format!("http://{host}/")).ok().filter(|url| url.path() == "/" && url.username().is_empty());
        let name = meant.as_ref().and_then(Url::host_str).ok_or_else(|| format!("`{host}` is not a host"))?;
        let base = Url::parse(base).map_err(|error| format!("`{base}` is not an address: {error}"))?;
        if !matches!(base.scheme(), "http" | "https") || base.query().is_some() || base.fragment().is_some() || !base.username().is_empty()
        {
            return Err(format!("`{base}` is not the address of an HTTP service alone"));
        }
        // The port is read from the text, since 80 is none to an address that begins with http.
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Ok(Self { host: name.trim_end_matches('.').to_owned(), port, base })
    }

    fn is_for(&self, url: &Url, host: &str) -> bool {
        self.host.eq_ignore_ascii_case(host.trim_end_matches('.')) && (self.port.is_none() || self.port == url.port_or_known_default())
    }

    fn target(&self, url: &Url) -> Url {
        let mut target = self.base.clone();
        target.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), url.path()));
        target.set_query(url.query());
        // Both are addresses of HTTP, which have a place for a user.
        let _ = target.set_username(url.username()).and_then(|()| target.set_password(url.password()));
        target
    }
}

impl Policy {
    /// Where a request for an address goes, or why it is not sent. What a name leads to is checked only once it is looked up.
    pub(super) fn route(&self, url: &Url) -> Result<Route, Unanswered> {
        let refused = |reason: String| Err(Unanswered::configuration(reason));
        let Some((host, name)) = url.host().zip(url.host_str()) else {
            return refused("the address has no host".to_owned());
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refused(format!("`{}` is not HTTP", url.scheme()));
        }
        // A service behind a mapping tells of itself by its own address, in links and redirections.
        if self.mappings.iter().any(|mapping| mapping.base.origin() == url.origin()) {
            return Ok(Route { url: url.clone(), addresses: Addresses::Any });
        }
        if let Some(allowed) = &self.hosts
            && !hosts::allows(allowed, name)
        {
            return refused(hosts::refusal(allowed, name));
        }
        if let Some(mapping) = self.mappings.iter().find(|mapping| mapping.is_for(url, name)) {
            return Ok(Route { url: mapping.target(url), addresses: Addresses::Any });
        }
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        if let Some(literal) = literal {
            self.addresses.allowed(name, vec![literal]).map_err(|refused| Unanswered::configuration(refused.to_string()))?;
        }
        Ok(Route { url: url.clone(), addresses: self.addresses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(policy: &Policy, url: &str) -> Result<(String, Addresses), String> {
        let route = policy.route(&Url::parse(url).unwrap()).map_err(|unanswered| unanswered.reason)?;
        Ok((route.url.to_string(), route.addresses))
    }

    #[test]
    fn addresses_are_refused_in_every_spelling() {
        let policy = Policy::default();
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://2130706433/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://127。0。0。1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]:80/",
            "http://0/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            let refusal = routed(&policy, url).unwrap_err();
            assert!(refusal.contains("which is not allowed"), "{url}: {refusal}");
            let any = Policy { addresses: Addresses::Any, ..Policy::default() };
            assert!(routed(&any, url).is_ok(), "{url}");
        }
        assert!(routed(&policy, "http://8.8.8.8/").is_ok());
        assert!(routed(&policy, "ftp://example.com/").is_err());
    }

    #[test]
    fn a_mapping_leads_elsewhere_and_lifts_no_list() {
        let policy = Policy {
            hosts: Some(vec!["api.example.com".to_owned()]),
            addresses: Addresses::Public,
            mappings: vec![
                HostMapping::parse("API.example.com=http://127.0.0.1:8080/stub/").unwrap(),
                HostMapping::parse("other.example.com=http://127.0.0.1:8081").unwrap(),
            ],
        };
        let to = |url: &str| (url.to_owned(), Addresses::Any);
        assert_eq!(routed(&policy, "https://api.example.com/v1/a?b=c"), Ok(to("http://127.0.0.1:8080/stub/v1/a?b=c")));
        assert_eq!(routed(&policy, "https://api.example.com.:444"), Ok(to("http://127.0.0.1:8080/stub/")));
        assert_eq!(routed(&policy, "http://127.0.0.1:8080/next"), Ok(to("http://127.0.0.1:8080/next")));
        assert!(routed(&policy, "http://127.0.0.1:8082/").unwrap_err().contains("does not allow the host"));
        assert!(routed(&policy, "https://other.example.com/").unwrap_err().contains("does not allow the host `other.example.com`"));
    }

    #[test]
    fn a_mapping_may_be_for_one_port() {
        let mappings =
            vec![HostMapping::parse("h:8443=http://127.0.0.1:1").unwrap(), HostMapping::parse("g:80=http://127.0.0.1:1").unwrap()];
        let policy = Policy { mappings, ..Policy::default() };
        assert_eq!(routed(&policy, "https://h:8443/").unwrap().0, "http://127.0.0.1:1/");
        assert_eq!(routed(&policy, "https://h/").unwrap().0, "https://h/");
        assert_eq!(routed(&policy, "http://g/").unwrap().0, "http://127.0.0.1:1/");
        for wrong in ["h", "=http://x", "h=x", "h=ftp://x", "h/p=http://x", "h=http://x?q", "u@h=http://x"] {
            assert!(HostMapping::parse(wrong).is_err(), "{wrong}");
        }
    }
}
