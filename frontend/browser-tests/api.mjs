// What a test prepares over the API, so that it can begin where it wants to look.
import { randomUUID } from "node:crypto";
import { serverUrl } from "./browser.mjs";

const PASSWORD = "ants carry fifty times their weight";

/**
 * @param {string} path
 * @param {object} body
 * @param {string} [token]
 */
async function post(path, body, token) {
  const response = await fetch(`${serverUrl()}/api${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** A new user with a way to open accounts that have money. */
export async function newTrader() {
  const email = `trader-${randomUUID()}@example.com`;
  await post("/auth/register", { email, password: PASSWORD });
  const { accessToken } = await post("/auth/login", { email, password: PASSWORD });
  return {
    email,
    password: PASSWORD,
    /**
     * @param {string} name
     * @param {"USD" | "KRW"} currency
     * @param {string} amount
     */
    openAccount: async (name, currency, amount) => {
      const { id } = await post("/accounts", { name, broker: "simulator", currency }, accessToken);
      await post(`/accounts/${id}/deposit`, { amount }, accessToken);
      return id;
    },
  };
}
