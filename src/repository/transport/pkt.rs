//! Git's packet lines and its side bands, see gitprotocol-common(5). Every length is checked before it is believed.

use std::io::{self, Read};

/// The longest packet line, its four digits included.
const MAX_PACKET: usize = 65_520;
/// How much of a server's remarks is kept for an error's text, in bytes.
const MAX_REMARKS: usize = 2048;

/// Appends one packet line.
pub(super) fn write(request: &mut Vec<u8>, line: &[u8]) {
    request.extend_from_slice(format!("{:04x}", line.len() + 4).as_bytes());
    request.extend_from_slice(line);
}

/// Appends the packet that ends a section.
pub(super) fn flush(request: &mut Vec<u8>) {
    request.extend_from_slice(b"0000");
}

/// Reads one packet line; `None` at the end of a section. A server's own error is returned as one.
pub(super) fn read(from: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut digits = [0; 4];
    from.read_exact(&mut digits)?;
    let length = std::str::from_utf8(&digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    let length = length.and_then(|text| usize::from_str_radix(text, 16).ok()).ok_or_else(|| bad("it does not speak git's protocol"))?;
    match length {
        0 => return Ok(None),
        4..=MAX_PACKET => {}
        _ => return Err(bad("it sent a packet of a wrong length")),
    }
    let mut line = vec![0; length - 4];
    from.read_exact(&mut line)?;
    match line.strip_prefix(b"ERR ") {
        Some(message) => Err(bad(&format!("it says: {}", shown(message)))),
        None => Ok(Some(line)),
    }
}

/// A line without its end.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Foreign text as it can be shown on one line.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(MAX_REMARKS)]);
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
        .replace(char::is_control, "\u{fffd}")
}

/// Undoes the side bands: gives the data, keeps the tail of the remarks, turns the error band into an error.
pub(super) struct SideBand<'r> {
    from: Box<dyn Read + 'r>,
    packet: Vec<u8>,
    at: usize,
    done: bool,
    remarks: Vec<u8>,
}

impl<'r> SideBand<'r> {
    /// Takes the stream, and a packet of it that was read already.
    pub(super) fn new(from: Box<dyn Read + 'r>, first: Option<Vec<u8>>) -> io::Result<Self> {
        let mut band = Self { from, packet: Vec::new(), at: 0, done: false, remarks: Vec::new() };
        if let Some(first) = first {
            band.accept(first)?;
        }
        Ok(band)
    }

    /// What the server said beside the data.
    pub(super) fn remarks(&self) -> String {
        shown(&self.remarks)
    }

    fn accept(&mut self, packet: Vec<u8>) -> io::Result<()> {
        match packet.first() {
            Some(1) => {
                self.packet = packet;
                self.at = 1;
            }
            Some(2) => {
                self.remarks.extend_from_slice(&packet[1..]);
                let surplus = self.remarks.len().saturating_sub(MAX_REMARKS);
                self.remarks.drain(..surplus);
            }
            Some(3) => return Err(bad(&format!("it says: {}", shown(&packet[1..])))),
            None | Some(_) => return Err(bad("it sent a packet of no known kind")),
        }
        Ok(())
    }
}

impl Read for SideBand<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.packet.len() && !self.done {
            match read(&mut *self.from)? {
                Some(packet) => self.accept(packet)?,
                None => self.done = true,
            }
        }
        let rest = self.packet.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_and_read_back() {
        let mut text = Vec::new();
        write(&mut text, b"want x\n");
        flush(&mut text);
        assert_eq!(text, b"000bwant x\n0000");
        let mut from = text.as_slice();
        assert_eq!(read(&mut from).unwrap().unwrap(), b"want x\n");
        assert_eq!(read(&mut from).unwrap(), None);
        assert!(read(&mut from).is_err(), "the end comes too early");
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for text in ["<htm", "0001", "0003", "ffff", "+00a", "000bshort"] {
            assert!(read(&mut text.as_bytes()).is_err(), "{text}");
        }
        let error = read(&mut b"0010ERR no such\n".as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "it says: no such");
    }

    #[test]
    fn side_bands_are_taken_apart() {
        let mut text = Vec::new();
        for line in [b"\x01one".as_slice(), b"\x02counting\n", b"\x01two"] {
            write(&mut text, line);
        }
        flush(&mut text);
        let mut band = SideBand::new(Box::new(text.as_slice()), None).unwrap();
        let mut data = String::new();
        band.read_to_string(&mut data).unwrap();
        assert_eq!((data.as_str(), band.remarks().as_str()), ("onetwo", "counting"));
        let mut band = SideBand::new(Box::new(b"0009\x03oops".as_slice()), None).unwrap();
        assert_eq!(band.read_to_string(&mut data).unwrap_err().to_string(), "it says: oops");
    }
}
