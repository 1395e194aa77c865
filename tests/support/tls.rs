//! A service on loopback behind TLS, of an authority that no machine knows, in HTTP/2 or HTTP/1.1 as it is told to offer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use ureq::http::Response;

/// A private authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A running service, which answers everything with the same text; dropping it ends it.
pub struct TlsService {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    runtime: Option<Runtime>,
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `h2` or `http/1.1`.
    pub protocol: &'static str,
    pub path: String,
}

impl Authority {
    pub fn named(name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A service with a certificate for a name, that offers these protocols.
    pub fn service(&self, name: &str, offered: &[&str], answer: &str) -> TlsService {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = offered.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsService::start(config, answer.to_owned())
    }
}

impl TlsService {
    fn start(config: ServerConfig, answer: String) -> Self {
        let (acceptor, seen) = (TlsAcceptor::from(Arc::new(config)), Arc::new(Mutex::default()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
        let shared = Arc::clone(&seen);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer, seen) = (acceptor.clone(), answer.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    // A client that does not trust the service breaks off.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => two(stream, &answer, &seen).await,
                        Some(_) | None => one(stream, &answer, &seen).await,
                    }
                });
            }
        });
        Self { address, seen, runtime: Some(runtime) }
    }

    /// The address of a path, by a name.
    pub fn url(&self, name: &str, path: &str) -> String {
        format!("https://{name}:{}{path}", self.address.port())
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for TlsService {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn two(stream: TlsStream<TcpStream>, answer: &str, seen: &Mutex<Vec<Seen>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        seen.lock().unwrap().push(Seen { protocol: "h2", path: request.uri().path().to_owned() });
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        body.send_data(answer.to_owned().into(), true).unwrap();
    }
}

/// Answers one request without a body.
async fn one(mut stream: TlsStream<TcpStream>, answer: &str, seen: &Mutex<Vec<Seen>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(Seen { protocol: "http/1.1", path });
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len());
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
