"""The server's side of a WebSocket (RFC 6455), as much of it as the bridge needs: text frames, ping, pong and close."""

import asyncio
import base64
import hashlib
import struct

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MESSAGE_BYTES_MAX = 256 * 1024
HEAD_BYTES_MAX = 16 * 1024
SECONDS_MAX = 5
CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA


class Closed(Exception):
    """The line has ended, or the other side does not keep to the protocol."""


async def accept(reader, writer):
    """Answers the handshake."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS_MAX)
    except (asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Closed("no handshake") from error
    if len(head) > HEAD_BYTES_MAX:
        raise Closed("the handshake is too long")
    lines = head.decode("latin-1").split("\r\n")[1:]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    key = headers.get("sec-websocket-key")
    if not key or "websocket" not in headers.get("upgrade", "").lower():
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        raise Closed("no WebSocket")
    accepted = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
    writer.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Accept: {accepted}\r\n\r\n").encode())
    await writer.drain()


class Line:
    """One open line."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.sending = asyncio.Lock()

    async def _frame(self):
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", await self.reader.readexactly(8))
        if not second & 0x80 or length > MESSAGE_BYTES_MAX:
            raise Closed("a frame is not masked, or too long")
        mask = await self.reader.readexactly(4)
        payload = bytearray(await self.reader.readexactly(length))
        for place, byte in enumerate(payload):
            payload[place] = byte ^ mask[place % 4]
        return bool(first & 0x80), first & 0x0F, bytes(payload)

    async def _write(self, kind, payload):
        head = bytes([0x80 | kind])
        if len(payload) < 126:
            head += bytes([len(payload)])
        elif len(payload) < 1 << 16:
            head += bytes([126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([127]) + struct.pack(">Q", len(payload))
        async with self.sending:
            self.writer.write(head + payload)
            await asyncio.wait_for(self.writer.drain(), SECONDS_MAX)

    async def receive(self, silence_seconds_max):
        """The next text. Pings are answered on the way; a side that is not heard of for so long is not waited for."""
        message = b""
        try:
            while True:
                is_last, kind, payload = await asyncio.wait_for(self._frame(), silence_seconds_max)
                if kind == CLOSE:
                    raise Closed("closed")
                if kind == PING:
                    await self._write(PONG, payload)
                elif kind in (TEXT, CONTINUATION):
                    message += payload
                    if len(message) > MESSAGE_BYTES_MAX:
                        raise Closed("a message is too long")
                    if is_last:
                        return message.decode()
        except (asyncio.IncompleteReadError, ConnectionError, UnicodeDecodeError) as error:
            raise Closed(str(error)) from error

    async def send(self, text):
        """Sends a text."""
        try:
            await self._write(TEXT, text.encode())
        except (ConnectionError, asyncio.TimeoutError, RuntimeError) as error:
            raise Closed(str(error)) from error

    async def close(self):
        """Ends the line."""
        try:
            await self._write(CLOSE, struct.pack(">H", 1000))
        except (ConnectionError, asyncio.TimeoutError, RuntimeError):
            pass
        self.writer.close()
