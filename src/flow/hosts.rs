//! The hosts a connector may reach.

/// Whether a list of hosts (exact names, or `*.example.com` for every name below one) allows this one.
pub(crate) fn allows(hosts: &[String], host: &str) -> bool {
    let host = host.trim_end_matches('.');
    hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
        Some(domain) => {
            host.len() > domain.len() + 1
                && host.is_char_boundary(host.len() - domain.len())
                && host[host.len() - domain.len()..].eq_ignore_ascii_case(domain)
                && host[..host.len() - domain.len()].ends_with('.')
        }
        None => allowed.eq_ignore_ascii_case(host),
    })
}

/// Why a host is refused.
pub(crate) fn refusal(hosts: &[String], host: &str) -> String {
    if hosts.is_empty() {
        return format!("the connection allows no host, so `{host}` cannot be reached");
    }
    format!(
        "the connection does not allow the host `{host}`: it allows {}",
        hosts.iter().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_names_and_names_below_a_domain() {
        let hosts = ["api.example.com".to_owned(), "*.example.org".to_owned()];
        for good in ["api.example.com", "API.example.com", "api.example.com.", "a.example.org", "a.b.example.org"] {
            assert!(allows(&hosts, good), "{good}");
        }
        for bad in ["example.com", "xapi.example.com", "example.org", ".example.org.evil", "evilexample.org", "api.example.com.evil", ""] {
            assert!(!allows(&hosts, bad), "{bad}");
        }
    }
}
