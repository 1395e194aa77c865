//! A small HTTP server on loopback that runs `git http-backend` for each request.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

type Hook = Box<dyn FnOnce() + Send>;

/// What the server wants, does and saw.
#[derive(Default)]
pub struct Behaviour {
    /// The `Authorization` header that is accepted; `None`: everything is.
    pub authorization: Option<String>,
    /// Answers instead of git, by path: status line, extra headers, body.
    pub canned: BTreeMap<String, (String, String, Vec<u8>)>,
    /// Runs once, after the advertisement of a push and before its objects arrive.
    pub before_push: Option<Hook>,
    /// Every request so far: method and path.
    pub seen: Vec<String>,
}

/// A running server; dropping it stops it.
pub struct HttpServer {
    pub address: SocketAddr,
    pub behaviour: Arc<Mutex<Behaviour>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Serves every repository below a folder.
    pub fn start(root: &Path) -> Self {
        Self::listen(root, None)
    }

    /// Serves over https, with a certificate of its own, which is returned as PEM.
    pub fn start_tls(root: &Path) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        (Self::listen(root, Some(Arc::new(config))), made.cert.pem())
    }

    fn listen(root: &Path, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let behaviour = Arc::new(Mutex::new(Behaviour::default()));
        let (root, shared) = (root.to_owned(), behaviour.clone());
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                let mut first = [0];
                let stream = stream.unwrap();
                if stream.peek(&mut first).unwrap_or(0) == 0 {
                    return;
                }
                match &tls {
                    None => serve(stream, &root, &shared),
                    Some(config) => {
                        let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
                        let mut stream = stream;
                        serve(rustls::Stream::new(&mut connection, &mut stream), &root, &shared);
                        connection.send_close_notify();
                        connection.write_tls(&mut stream).ok();
                    }
                }
            }
        });
        Self { address, behaviour, thread: Some(thread) }
    }

    /// The URL of a path, by a host name, which credential helpers need.
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}/{path}", self.address.port())
    }

    pub fn demand(&self, authorization: &str) {
        self.behaviour.lock().unwrap().authorization = Some(authorization.to_owned());
    }

    pub fn answer(&self, path: &str, status: &str, headers: &str, body: &[u8]) {
        let canned = (status.to_owned(), headers.to_owned(), body.to_vec());
        self.behaviour.lock().unwrap().canned.insert(path.to_owned(), canned);
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        // A connection that sends nothing is the sign to stop.
        TcpStream::connect(self.address).ok();
        self.thread.take().unwrap().join().ok();
    }
}

/// Answers one request and closes.
pub fn serve<S: Read + Write>(stream: S, root: &Path, behaviour: &Mutex<Behaviour>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if stream.read_line(&mut line).is_err() || line.is_empty() {
        return;
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let headers = read_headers(&mut stream);
    let mut body = vec![0; headers.get("content-length").map_or(0, |text| text.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let answer = {
        let mut behaviour = behaviour.lock().unwrap();
        behaviour.seen.push(format!("{method} {target}"));
        if behaviour.authorization.as_ref().is_some_and(|wanted| headers.get("authorization") != Some(wanted)) {
            Some(("401 Unauthorized".to_owned(), "WWW-Authenticate: Basic realm=\"git\"\r\n".to_owned(), Vec::new()))
        } else {
            if path.ends_with("/git-receive-pack")
                && let Some(hook) = behaviour.before_push.take()
            {
                hook();
            }
            behaviour.canned.get(path).cloned()
        }
    };
    let (status, extra, body) = answer.unwrap_or_else(|| git(root, &method, path, query, &headers, &body));
    let head = format!("HTTP/1.1 {status}\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let stream = stream.get_mut();
    stream.write_all(head.as_bytes()).ok();
    stream.write_all(&body).ok();
    stream.flush().ok();
}

fn read_headers(stream: &mut impl BufRead) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => return headers,
        };
    }
}

fn git(root: &Path, method: &str, path: &str, query: &str, headers: &BTreeMap<String, String>, body: &[u8]) -> (String, String, Vec<u8>) {
    let mut child = Command::new(exec_path().join("git-http-backend"))
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", headers.get("content-type").map_or("", String::as_str))
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        scope.spawn(move || input.write_all(body).ok());
        child.wait_with_output().unwrap().stdout
    });
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let (mut status, mut extra) = ("200 OK".to_owned(), String::new());
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        match line.strip_prefix("Status: ") {
            Some(text) => text.clone_into(&mut status),
            None => extra.push_str(&format!("{line}\r\n")),
        }
    }
    (status, extra, output[end + 4..].to_vec())
}

fn exec_path() -> PathBuf {
    let output = Command::new("git").arg("--exec-path").output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}
