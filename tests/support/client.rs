//! Somebody who sends requests over HTTP/1.1: a request a connection, byte for byte as a test says.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Where a server listens: `127.0.0.1:8080`.
#[derive(Debug, Clone)]
pub struct Client {
    address: String,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Names in lowercase.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Client {
    /// For the server that an address in a text leads to, such as `Listening at http://127.0.0.1:8080/path`.
    pub fn of(text: &str) -> Self {
        let (_, rest) = text.split_once("http://").unwrap_or_else(|| panic!("no address in {text:?}"));
        Self { address: rest.split('/').next().unwrap_or_default().to_owned() }
    }

    /// An open connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends a request with a body, without waiting for what it is answered.
    pub fn begin(&self, start: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut head = format!("{start} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", self.address, body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = self.connect();
        stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        stream
    }

    /// Sends a request and reads what it is answered.
    pub fn send(&self, start: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        Reply::read(self.begin(start, headers, body))
    }
}

impl Reply {
    /// Reads to the end of a connection.
    #[track_caller]
    pub fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A server that does not read a body to its end may reset the connection after its answer.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status: status.unwrap_or_else(|| panic!("{head}")), headers: headers.collect(), body: body.to_owned() }
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
