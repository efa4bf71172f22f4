// A way to the server that can be cut and mended, so that a page sees its server die and come back.
import { connect, createServer } from "node:net";

/**
 * Opens a relay in front of a server and makes it the server under test.
 * @param {string} target
 */
export async function relayTo(target) {
  const { hostname, port } = new URL(target);
  /** @type {Set<import("node:net").Socket>} */
  const open = new Set();
  /** @param {import("node:net").Socket} from @param {import("node:net").Socket} to */
  const join = (from, to) => {
    open.add(from);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      open.delete(from);
      to.destroy();
    });
  };
  /** @type {import("node:net").Server} */
  let server;
  /** @param {number} at @returns {Promise<number>} */
  const listen = (at) =>
    new Promise((resolve, reject) => {
      server = createServer((from) => {
        const to = connect(Number(port), hostname);
        join(from, to);
        join(to, from);
      });
      server.on("error", reject);
      server.listen(at, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : at);
      });
    });
  const own = await listen(0);
  process.env.GAEMI_URL = `http://127.0.0.1:${own}`;
  return {
    /** Cuts every connection and takes no new one. */
    cut: () =>
      /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          server.close(() => resolve());
          for (const socket of open) socket.destroy();
        })
      ),
    mend: () => listen(own),
  };
}
