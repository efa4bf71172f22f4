//! The yardstick: a bare TCP writer that frames each quote once and knows nothing but who gets it.
//!
//! `together` writes all that waits for a client in one go, once per wake-up; `each` writes every message by itself.

use crate::quote::number;
use anyhow::{Context, Result, bail};
use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Messages that may wait for a client; more are lost.
const WAITING_MAX: usize = 4_096;
/// Messages taken in one go.
const TOGETHER_MAX: usize = 256;

type Clients = Arc<Mutex<Vec<Vec<mpsc::Sender<Bytes>>>>>;

/// Serves for ever; prints its two ports: for clients and for whoever sends quotes.
pub(crate) async fn serve(together: bool) -> Result<()> {
    let (clients, feed) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    crate::report("ports", format!("{} {}", clients.local_addr()?.port(), feed.local_addr()?.port()))?;
    let known = Clients::default();
    let of_feed = Arc::clone(&known);
    tokio::spawn(async move {
        while let Ok((socket, _)) = feed.accept().await {
            tokio::spawn(take(socket, Arc::clone(&of_feed)));
        }
    });
    loop {
        let (socket, _) = clients.accept().await?;
        tokio::spawn(write(socket, Arc::clone(&known), together));
    }
}

/// Takes lines of a share's number and a text.
async fn take(socket: TcpStream, clients: Clients) -> Result<()> {
    let mut lines = BufReader::with_capacity(1 << 16, socket).lines();
    while let Some(line) = lines.next_line().await? {
        let (share, text) = line.split_once(' ').context("a line without a share")?;
        let frame = frame(text)?;
        let clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
        for client in clients.get(share.parse::<usize>()?).into_iter().flatten() {
            let _ = client.try_send(frame.clone());
        }
    }
    Ok(())
}

fn frame(text: &str) -> Result<Bytes> {
    let mut frame = BytesMut::with_capacity(text.len() + 4);
    frame.put_u8(0x81);
    if text.len() < 126 {
        frame.put_u8(u8::try_from(text.len())?);
    } else {
        frame.put_u8(126);
        frame.put_u16(u16::try_from(text.len())?);
    }
    frame.put_slice(text.as_bytes());
    Ok(frame.freeze())
}

async fn write(mut socket: TcpStream, clients: Clients, together: bool) -> Result<()> {
    socket.set_nodelay(true)?;
    let (waiting, mut messages) = mpsc::channel(WAITING_MAX);
    for share in greet(&mut socket).await? {
        let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() <= share {
            clients.resize_with(share + 1, Vec::new);
        }
        clients.get_mut(share).context("no such share")?.push(waiting.clone());
    }
    drop(waiting);
    let (mut taken, mut bytes) = (Vec::new(), Vec::new());
    while messages.recv_many(&mut taken, if together { TOGETHER_MAX } else { 1 }).await > 0 {
        bytes.clear();
        taken.drain(..).for_each(|message: Bytes| bytes.extend_from_slice(&message));
        socket.write_all(&bytes).await?;
    }
    Ok(())
}

/// Reads a handshake and one request; the shares that it asks for.
async fn greet(socket: &mut TcpStream) -> Result<Vec<usize>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await?;
    let _opcode = socket.read_u8().await?;
    let length = match socket.read_u8().await? & 0x7f {
        126 => usize::from(socket.read_u16().await?),
        127 => bail!("too long a request"),
        short => usize::from(short),
    };
    let _mask = socket.read_u32().await?;
    let mut request = vec![0; length];
    socket.read_exact(&mut request).await?;
    let request: Value = serde_json::from_slice(&request)?;
    let symbols = request.get("symbols").and_then(Value::as_array).context("no symbols")?;
    Ok(symbols.iter().filter_map(|symbol| number(symbol.as_str()?)).collect())
}
