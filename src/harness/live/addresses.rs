//! Which addresses of the internet a flow may reach: public ones, and others only where the person who runs it says so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses may be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addresses {
    /// Those of the public internet alone.
    #[default]
    Public,
    /// Private, loopback, link-local and other special ones too.
    Any,
}

/// A name or an address that leads only to where no flow may go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{host}` is at {address}, {kind}, which is not allowed without `--allow-private`, or `allowPrivateAddresses` of the environment")]
pub(super) struct Refused {
    pub(super) host: String,
    pub(super) address: IpAddr,
    pub(super) kind: &'static str,
}

impl Addresses {
    /// Those of a host's addresses that may be reached; at least one, or the reason why there is none.
    pub(super) fn allowed(self, host: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refused> {
        if self == Self::Any {
            return Ok(found);
        }
        let mut refused = None;
        let mut allowed = Vec::with_capacity(found.len());
        for address in found {
            match special(address) {
                None => allowed.push(address),
                Some(kind) => refused = Some(Refused { host: host.to_owned(), address, kind }),
            }
        }
        match refused {
            Some(refused) if allowed.is_empty() => Err(refused),
            Some(_) | None => Ok(allowed),
        }
    }
}

/// What an address is if it is not one of the public internet; after IANA's registries of special-purpose addresses, RFC 6890.
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    Some(match address.octets() {
        [0, ..] => "an unspecified address",
        [127, ..] => "a loopback address",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address",
        [169, 254, ..] => "a link-local address",
        [100, 64..=127, ..] => "an address of a carrier's own network",
        [198, 18..=19, ..] => "an address for benchmarks",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "an address for documentation",
        [192, 0, 0, _] | [192, 88, 99, _] => "an address of special purpose",
        [224..=239, ..] => "a multicast address",
        [240..=255, ..] => "a reserved address",
        _ => return None,
    })
}

/// Whatever is not global unicast, and of that what is given to special purposes. Addresses that hold one of IPv4 are among these,
/// whichever they hold.
fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    Some(match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => "an unspecified address",
        [0, 0, 0, 0, 0, 0, 0, 1] => "a loopback address",
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] => "an IPv4 address within IPv6",
        [0x64, 0xff9b, ..] => "an address that is translated to IPv4",
        [0xfc00..=0xfdff, ..] => "a unique local address",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xff00..=0xffff, ..] => "a multicast address",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "an address for documentation",
        [0x2001, 0x2, 0, ..] => "an address for benchmarks",
        [0x2001, 0..=0x1ff, ..] => "an address of special purpose",
        [0x2002, ..] => "an IPv4 address within IPv6",
        [0x2000..=0x3fff, ..] => return None,
        _ => "a reserved address",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_told_from_special_ones() {
        for public in ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1", "2001:4860::1"] {
            assert_eq!(special(public.parse().unwrap()), None, "{public}");
        }
        for (address, kind) in [
            ("0.0.0.0", "unspecified"),
            ("127.8.8.8", "loopback"),
            ("10.0.0.1", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("169.254.169.254", "link-local"),
            ("100.64.0.1", "carrier"),
            ("198.18.0.1", "benchmarks"),
            ("192.0.2.1", "documentation"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::ffff:8.8.8.8", "within IPv6"),
            ("::127.0.0.1", "within IPv6"),
            ("64:ff9b::7f00:1", "translated"),
            ("64:ff9b:1::1", "translated"),
            ("fc00::1", "unique local"),
            ("fd12::1", "unique local"),
            ("fe80::1", "link-local"),
            ("fec0::1", "reserved"),
            ("ff02::1", "multicast"),
            ("2001:db8::1", "documentation"),
            ("3fff::1", "documentation"),
            ("2001:2::1", "benchmarks"),
            ("2001::1", "special purpose"),
            ("2002:7f00:1::", "within IPv6"),
            ("100::1", "reserved"),
        ] {
            assert!(special(address.parse().unwrap()).is_some_and(|told| told.contains(kind)), "{address}");
        }
    }

    #[test]
    fn only_what_is_allowed_is_handed_on() {
        let [public, private]: [IpAddr; 2] = ["8.8.8.8".parse().unwrap(), "10.0.0.1".parse().unwrap()];
        assert_eq!(Addresses::Public.allowed("h", vec![private, public]), Ok(vec![public]));
        assert_eq!(Addresses::Any.allowed("h", vec![private]), Ok(vec![private]));
        let refused = Addresses::Public.allowed("h", vec![private]).unwrap_err();
        assert!(refused.to_string().starts_with("`h` is at 10.0.0.1, a private address, which is not allowed without"), "{refused}");
    }
}
