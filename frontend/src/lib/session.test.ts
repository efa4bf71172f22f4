import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Session } from "@/lib/api/types";
import { accessToken, endSession, renewSession, restoreSession, startSession, useSession } from "./session";

let stored: Map<string, string>;
let renewals: number;
let answer: () => Response;

const session = (accessToken: string): Session => ({
  accessToken,
  expiresInSeconds: 900,
  user: {
    id: "u",
    email: "ant@example.com",
    displayName: "Ant",
    language: "en",
    totpEnabled: false,
    createdAt: "2026-01-05T10:00:00Z",
  },
});

beforeEach(() => {
  vi.useFakeTimers();
  stored = new Map();
  renewals = 0;
  answer = () => Response.json(session(`renewed-${renewals}`));
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("fetch", async () => {
    renewals += 1;
    return answer();
  });
});

afterEach(() => {
  endSession();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("many requests that find the token expired renew it once", async () => {
  startSession(session("old"));
  const tokens = await Promise.all([renewSession("old"), renewSession("old"), renewSession("old")]);
  expect(renewals).toBe(1);
  expect(new Set(tokens)).toEqual(new Set(["renewed-1"]));
  expect(await renewSession("old")).toBe("renewed-1");
  expect(renewals).toBe(1);
});

test("the token is renewed before it ends, without anybody asking", async () => {
  startSession(session("old"));
  await vi.advanceTimersByTimeAsync(839_000);
  expect(renewals).toBe(0);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(renewals).toBe(1);
  expect(accessToken()).toBe("renewed-1");
});

test("no script can read a token from storage", () => {
  startSession(session("secret"));
  expect([...stored.values()].join()).not.toContain("secret");
});

test("a refused renewal ends the session; an unreachable server does not", async () => {
  startSession(session("old"));
  answer = () => new Response(null, { status: 503 });
  await expect(renewSession("old")).rejects.toThrow();
  expect(useSession.getState().status).toBe("signedIn");
  answer = () => Response.json({ code: "refresh_token_reused" }, { status: 401 });
  expect(await renewSession("old")).toBeNull();
  expect(useSession.getState().status).toBe("anonymous");
  expect(accessToken()).toBeNull();
});

test("a renewal that the page before did not see the end of is waited for", async () => {
  stored.set("gaemi.session", String(Date.now() - 300));
  const restored = restoreSession();
  await vi.advanceTimersByTimeAsync(600);
  expect(renewals).toBe(0);
  await vi.advanceTimersByTimeAsync(200);
  await restored;
  expect(renewals).toBe(1);
});

test("a first visit asks the server for nothing", async () => {
  await restoreSession();
  expect(renewals).toBe(0);
  expect(useSession.getState().status).toBe("anonymous");
});

test("whoever signs out while the token is renewed stays signed out, whatever comes of it", async () => {
  startSession(session("old"));
  let letGo = (_: Response) => {};
  const asked: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return path.endsWith("/logout")
      ? Promise.resolve(new Response(null, { status: 204 }))
      : new Promise<Response>((resolve) => {
          letGo = resolve;
        });
  });
  const renewing = renewSession("old");
  await vi.advanceTimersByTimeAsync(0);
  endSession();
  letGo(Response.json(session("new")));
  expect(await renewing).toBeNull();
  expect(useSession.getState().status).toBe("anonymous");
  expect(accessToken()).toBeNull();
  expect(asked).toEqual(["/api/auth/refresh", "/api/auth/logout"]);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(asked).toHaveLength(2);
});
