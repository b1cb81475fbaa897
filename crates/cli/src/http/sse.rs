//! Server-sent events, as the WHATWG HTML standard has them (section 9.2): from bytes to events.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// The longest event: one that is longer is cut off.
const LONGEST: usize = 1 << 20;

/// A stream of events.
pub(crate) struct Events {
    body: Incoming,
    lines: Lines,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its kind.
    pub(crate) kind: String,
    /// What it says.
    pub(crate) data: String,
}

impl Events {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { body, lines: Lines::default() }
    }

    /// The next event; [`None`] when the server closes the stream, or it breaks.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.lines.event() {
                return Some(event);
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.lines.add(&data);
            }
        }
    }
}

/// The lines that have come, and the event that they are about to make.
#[derive(Default)]
struct Lines {
    waiting: Vec<u8>,
    event: Event,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) {
        if self.waiting.len() + bytes.len() <= LONGEST {
            self.waiting.extend_from_slice(bytes);
        }
    }

    /// The next whole event.
    fn event(&mut self) -> Option<Event> {
        while let Some(end) = self.waiting.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.waiting.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(event) = self.line(line.trim_end_matches(['\r', '\n'])) {
                return Some(event);
            }
        }
        None
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.event.kind),
            "data" if self.event.data.len() + value.len() > LONGEST => {}
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_their_bytes_come() {
        let text = b": keepalive\n\nevent: login\nid: 7\ndata: {\"seq\":7}\n\ndata: a\r\ndata: b\r\n\r\nevent: x\n\n";
        for size in [1, 2, 7, 1000] {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            for piece in text.chunks(size) {
                lines.add(piece);
                found.extend(std::iter::from_fn(|| lines.event()));
            }
            let event = |kind: &str, data: &str| Event { kind: kind.to_owned(), data: data.to_owned() };
            assert_eq!(found, [event("login", "{\"seq\":7}"), event("", "a\nb")], "pieces of {size}");
        }
    }
}
