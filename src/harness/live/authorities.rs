//! Authorities whose certificates are trusted beside those that the machine trusts.

use std::fmt;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Certificates of authorities that the machine need not know, such as an organisation's own.
#[derive(Clone, Default)]
pub struct Authorities(Vec<Certificate>);

impl Authorities {
    /// Reads PEM, one certificate or several. The error says what is wrong with it, a lowercase fragment.
    pub fn read(pem: &[u8]) -> Result<Self, String> {
        let mut found = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| format!("it is not PEM: {error}"))?;
            found.push(usable(certificate).map_err(|why| format!("its certificate {} cannot be used: {why}", found.len() + 1))?);
        }
        if found.is_empty() { Err("it holds no certificate in PEM".to_owned()) } else { Ok(Self(found)) }
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = Certificate> {
        self.0.iter().cloned()
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.0.len())
    }
}

fn usable(certificate: CertificateDer<'_>) -> Result<Certificate, String> {
    let usable = Certificate::from_der(&certificate).map_err(|error| error.to_string());
    RootCertStore::empty().add(certificate.into_owned()).map_err(|error| error.to_string())?;
    usable
}
