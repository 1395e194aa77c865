//! A service on loopback that answers as a test says, and remembers what it was asked: plain HTTP/1.1, one thread a connection.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Names as they were sent.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Which connection it came by, counted from 1.
    pub connection: usize,
    /// Which request of all it was, counted from 1.
    pub number: usize,
}

/// What the service answers.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes(Vec<u8>),
    /// The same bytes again and again, without a length told before, until nobody reads them.
    Endless(Vec<u8>),
    /// Nothing: the connection stays open in silence, until the service ends.
    Never,
    /// Nothing: the connection is closed.
    Closed,
}

/// A running service; dropping it ends it.
pub struct Service {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

type Respond = dyn Fn(&Received) -> Answer + Send + Sync;

struct Shared {
    respond: Box<Respond>,
    seen: Mutex<Vec<Received>>,
    /// Tells of every request, and of the end.
    news: Condvar,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Service {
    /// A service that answers what the closure says. It is called on the connection's thread, so that it may wait for another request.
    pub fn start(respond: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            respond: Box::new(respond),
            seen: Mutex::default(),
            news: Condvar::new(),
            ended: Mutex::default(),
            end: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                if *serving.ended.lock().unwrap() {
                    return;
                }
                let (Ok(stream), serving) = (stream, Arc::clone(&serving)) else { continue };
                // A client that breaks off is none of the service's business.
                thread::spawn(move || drop(serving.serve(&stream, index + 1)));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// A service that gives these answers in their order, and after them status 500.
    pub fn scripted(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<Answer> = answers.into_iter().collect();
        Self::start(move |request| {
            let scripted = answers.get(request.number - 1).cloned();
            scripted.unwrap_or_else(|| Answer::status(500).text("the script has no more answers"))
        })
    }

    /// A service that gives the same answer to everything.
    pub fn always(answer: Answer) -> Self {
        Self::start(move |_| answer.clone())
    }

    /// The address of a path, by the loopback address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{}", self.address, path.trim_start_matches('/'))
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The only request so far.
    #[track_caller]
    pub fn request(&self) -> Received {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().unwrap()
    }

    /// Waits until so many requests have arrived. Where they never come, the test fails instead of waiting for ever.
    pub fn wait_for(&self, count: usize) {
        const LONGEST: Duration = Duration::from_secs(120);
        let seen = self.shared.seen.lock().unwrap();
        let (seen, waited) = self.shared.news.wait_timeout_while(seen, LONGEST, |seen| seen.len() < count).unwrap();
        drop(seen);
        assert!(!waited.timed_out(), "{count} requests never came");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        *self.shared.ended.lock().unwrap() = true;
        self.shared.end.notify_all();
        // Wakes the listener, which then sees the end.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream, connection: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        while let Some(mut request) = read(&mut reader, connection)? {
            let mut seen = self.seen.lock().unwrap();
            request.number = seen.len() + 1;
            seen.push(request.clone());
            drop(seen);
            self.news.notify_all();
            let answer = (self.respond)(&request);
            if !self.write(stream, &answer, request.method == "HEAD")? {
                break;
            }
        }
        Ok(())
    }

    /// Writes an answer and tells whether the connection goes on.
    fn write(&self, mut stream: &TcpStream, answer: &Answer, is_head: bool) -> io::Result<bool> {
        let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match &answer.body {
            Content::Closed => Ok(false),
            Content::Never => {
                let ended = self.ended.lock().unwrap();
                drop(self.end.wait_while(ended, |ended| !*ended).unwrap());
                Ok(false)
            }
            Content::Bytes(body) => {
                if !matches!(answer.status, 100..200 | 204 | 304) {
                    head.push_str(&format!("content-length: {}\r\n", body.len()));
                }
                let body: &[u8] = if is_head { &[] } else { body };
                stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())?;
                Ok(true)
            }
            Content::Endless(chunk) => {
                stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())?;
                loop {
                    stream.write_all(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())?;
                }
            }
        }
    }
}

fn read(reader: &mut impl BufRead, connection: usize) -> io::Result<Option<Received>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Received { method, target, headers, body: Vec::new(), connection, number: 0 };
    if request.header("transfer-encoding").is_some() {
        request.body = chunked(reader)?;
    } else if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().map_err(io::Error::other)?];
        reader.read_exact(&mut request.body)?;
    }
    Ok(Some(request))
}

fn chunked(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        body.extend_from_slice(&chunk[..size]);
        if size == 0 {
            return Ok(body);
        }
    }
}

impl Received {
    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query as it was sent; empty where there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        pairs(self.query().as_bytes()).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body's fields, decoded.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

impl Answer {
    /// A status, with nothing else.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Content::Bytes(Vec::new()) }
    }

    /// Status 200 with JSON.
    pub fn json(value: impl serde::Serialize) -> Self {
        Self::status(200).with_json(value)
    }

    /// Silence: no answer ever comes.
    pub fn never() -> Self {
        Self { body: Content::Never, ..Self::status(200) }
    }

    /// The connection is closed without an answer.
    pub fn closed() -> Self {
        Self { body: Content::Closed, ..Self::status(200) }
    }

    /// Status 200 with a body that does not end before the client breaks off.
    pub fn endless(chunk: impl Into<Vec<u8>>) -> Self {
        Self { body: Content::Endless(chunk.into()), ..Self::status(200) }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    #[must_use]
    pub fn with_json(self, value: impl serde::Serialize) -> Self {
        self.header("content-type", "application/json").bytes(serde_json::to_vec(&value).unwrap())
    }

    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.header("content-type", "text/plain; charset=utf-8").bytes(text)
    }

    #[must_use]
    pub fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Content::Bytes(body.into()), ..self }
    }
}
