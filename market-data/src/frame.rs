//! A message as it goes over the wire: framed once, shared by everybody who gets it.

use std::sync::Arc;

/// A final text frame (RFC 6455, 5.2).
const TEXT: u8 = 0x81;
/// A ping without a payload.
const PING: [u8; 2] = [0x89, 0];
/// Longest payload whose length stands in the header's second byte.
const SHORT_LENGTH_MAX: usize = 125;
/// Says in the second byte that the length follows in two bytes.
const LENGTH_IN_TWO_BYTES: u8 = 126;
/// Says in the second byte that the length follows in eight bytes.
const LENGTH_IN_EIGHT_BYTES: u8 = 127;
/// Most bytes of a header that nobody masks.
const HEADER_LENGTH_MAX: usize = 10;

/// A server's frame, header included. Copies share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame(Arc<[u8]>);

impl Frame {
    /// Frames a text.
    pub(crate) fn text(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + HEADER_LENGTH_MAX);
        bytes.push(TEXT);
        match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(length), _) if text.len() <= SHORT_LENGTH_MAX => bytes.push(length),
            (_, Ok(length)) => {
                bytes.push(LENGTH_IN_TWO_BYTES);
                bytes.extend_from_slice(&length.to_be_bytes());
            }
            (_, Err(_)) => {
                bytes.push(LENGTH_IN_EIGHT_BYTES);
                bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            }
        }
        bytes.extend_from_slice(text.as_bytes());
        Self(bytes.into())
    }

    /// Asks for a sign of life.
    pub(crate) fn ping() -> Self {
        Self(Arc::new(PING))
    }

    /// What goes over the wire.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.0
    }

    /// The text inside.
    pub(crate) fn payload(&self) -> &str {
        let header = match self.0.get(1) {
            Some(&LENGTH_IN_TWO_BYTES) => 4,
            Some(&LENGTH_IN_EIGHT_BYTES) => HEADER_LENGTH_MAX,
            _ => 2,
        };
        self.0.get(header..).and_then(|payload| std::str::from_utf8(payload).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::protocol::frame::FrameSocket;

    #[test]
    fn frames_of_every_length_are_what_the_protocol_says() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let text = "x".repeat(length);
            let frame = Frame::text(&text);
            let read = FrameSocket::new(frame.wire()).read(None).unwrap().unwrap();
            assert!(read.header().is_final && read.header().mask.is_none(), "{length}");
            assert_eq!(read.into_text().unwrap().as_str(), text);
            assert_eq!(frame.payload(), text);
        }
        let ping = Frame::ping();
        let read = FrameSocket::new(ping.wire()).read(None).unwrap().unwrap();
        assert_eq!(read.header().opcode.to_string(), "PING");
    }
}
