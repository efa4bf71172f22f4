//! The way out to one subscriber: frames of ours and replies of the protocol layer, collected and written together.
//!
//! The protocol layer reads through here and answers pings and goodbyes into the same buffer, whole frames at a time, so
//! that our frames can go past it as they are: framed once for everybody, copied once, one write for many.

use crate::frame::Frame;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes after which no further frame is collected for one write.
pub(crate) const WRITE_SIZE_MAX: usize = 32 * 1024;
/// Most bytes of replies that wait for a socket which takes nothing.
const REPLIES_SIZE_MAX: usize = 64 * 1024;

/// A socket and what it has not taken yet.
pub(crate) struct Line<S> {
    socket: S,
    waiting: Vec<u8>,
    /// So many of the bytes that wait are written already.
    written: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(crate) const fn new(socket: S) -> Self {
        Self { socket, waiting: Vec::new(), written: 0 }
    }

    /// Writes frames behind what waits: all that the socket takes; the rest waits for [`Self::poll_drain`].
    pub(crate) fn poll_write_frames(
        &mut self,
        task: &mut Context<'_>,
        frames: &[Frame],
        scratch: &mut Vec<u8>,
    ) -> Poll<io::Result<()>> {
        scratch.clear();
        frames.iter().for_each(|frame| scratch.extend_from_slice(frame.wire()));
        let mut taken = 0;
        while self.waiting.is_empty()
            && let Some(rest) = scratch.get(taken..).filter(|rest| !rest.is_empty())
        {
            match Pin::new(&mut self.socket).poll_write(task, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => taken += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        let rest = scratch.get(taken..).unwrap_or_default();
        if rest.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.waiting.extend_from_slice(rest);
        // Asks to be woken when there is room again.
        self.poll_drain(task)
    }

    /// Writes what waits; ready when nothing does any more.
    pub(crate) fn poll_drain(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.waiting.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.socket).poll_write(task, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        if !self.waiting.is_empty() {
            (self.waiting, self.written) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(task, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.waiting.len().saturating_add(bytes.len()) > REPLIES_SIZE_MAX {
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        self.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(task))?;
        Pin::new(&mut self.socket).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(task))?;
        Pin::new(&mut self.socket).poll_shutdown(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::AsyncReadExt as _;

    fn write(line: &mut Line<tokio::io::DuplexStream>, texts: &[&str]) -> bool {
        let frames: Vec<_> = texts.iter().map(|text| Frame::text(text)).collect();
        let mut task = Context::from_waker(Waker::noop());
        matches!(line.poll_write_frames(&mut task, &frames, &mut Vec::new()), Poll::Ready(Ok(())))
    }

    #[tokio::test]
    async fn what_a_full_socket_does_not_take_waits_in_order_with_replies_between_whole_frames() {
        let (near, mut far) = tokio::io::duplex(5);
        let mut line = Line::new(near);
        assert!(!write(&mut line, &["one", "two"]));
        let mut task = Context::from_waker(Waker::noop());
        assert!(matches!(Pin::new(&mut line).poll_write(&mut task, b"PONG"), Poll::Ready(Ok(4))));
        assert!(!write(&mut line, &["three"]));
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            far.read_to_end(&mut read).await.unwrap();
            read
        });
        std::future::poll_fn(|task| line.poll_drain(task)).await.unwrap();
        drop(line);
        assert_eq!(reading.await.unwrap(), b"\x81\x03one\x81\x03twoPONG\x81\x05three");
    }

    #[tokio::test]
    async fn replies_to_somebody_who_reads_nothing_are_bounded() {
        let (near, _far) = tokio::io::duplex(1);
        let mut line = Line::new(near);
        let mut task = Context::from_waker(Waker::noop());
        let mut put = || matches!(Pin::new(&mut line).poll_write(&mut task, &[0; 125]), Poll::Ready(Ok(_)));
        let taken = (0..100_000).take_while(|_| put()).count();
        assert!(taken * 125 <= REPLIES_SIZE_MAX);
    }
}
