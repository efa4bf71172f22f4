//! Plain HTTP/1.1 over connections that stay open, so that the client costs little.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// An answer that takes longer ends the run.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// One connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(8192) })
    }

    /// Sends one request and reads its whole answer: status and body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        let (status, body_start) = tokio::time::timeout(ANSWER_TIME_MAX, self.read_answer()).await??;
        Ok((status, self.answer.get(body_start..).unwrap_or_default()))
    }

    async fn read_answer(&mut self) -> Result<(u16, usize)> {
        let mut expected = None;
        loop {
            if expected.is_none() {
                expected = parse_head(&self.answer)?;
            }
            if let Some((status, body_start, length)) = expected
                && self.answer.len() >= body_start + length
            {
                return Ok((status, body_start));
            }
            ensure!(self.answer.len() < ANSWER_BYTES_MAX, "an answer is too long");
            ensure!(self.stream.read_buf(&mut self.answer).await? > 0, "the server closed the connection");
        }
    }

    /// Sends a request whose answer does not end, and hands out its lines as they come.
    pub(crate) async fn lines(mut self, request: &[u8]) -> Result<Lines<BufReader<TcpStream>>> {
        self.stream.write_all(request).await?;
        Ok(BufReader::new(self.stream).lines())
    }

    /// A request of the preparation: JSON in, JSON out, and no other status than the expected.
    pub(crate) async fn call(&mut self, request: &[u8], expected: u16) -> Result<Value> {
        let (status, body) = self.exchange(request).await?;
        if status != expected {
            bail!("status {status}: {}", String::from_utf8_lossy(body));
        }
        Ok(serde_json::from_slice(body)?)
    }
}

/// Status, start of the body and its length, once the head is complete.
fn parse_head(answer: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(answer.get(..end).unwrap_or_default())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without content-length")?;
    Ok(Some((status, end + 4, length.1.trim().parse()?)))
}

pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

pub(crate) fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    let key = Uuid::now_v7();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.get(name).and_then(Value::as_str).with_context(|| format!("the answer has no {name}"))
}
