// The usual choice: Node with `ws`. Takes lines of a share's number and a text, and sends the text to its followers.
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const followers = new Map();

const numberOf = (symbol) => [...symbol.slice(1)].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 65, 0);

const clients = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
clients.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  const followed = [];
  socket.on("close", () => followed.forEach((number) => followers.get(number).delete(socket)));
  socket.on("message", (data) => {
    for (const symbol of JSON.parse(data.toString()).symbols) {
      const number = numberOf(symbol);
      if (!followers.has(number)) followers.set(number, new Set());
      followers.get(number).add(socket);
      followed.push(number);
    }
  });
});

const feed = createServer((socket) => {
  createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
    const space = line.indexOf(" ");
    const message = Buffer.from(line.slice(space + 1));
    for (const socket of followers.get(Number(line.slice(0, space))) ?? []) {
      socket.send(message, { binary: false });
    }
  });
});

clients.on("listening", () =>
  feed.listen(0, "127.0.0.1", () => console.log(`ports ${clients.address().port} ${feed.address().port}`)),
);
