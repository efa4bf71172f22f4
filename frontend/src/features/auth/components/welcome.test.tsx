// @vitest-environment jsdom
import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { signOut } from "../api/auth";
import { Welcome } from "./welcome";
import "@/testing/set-up";

const REGISTRATION = "GET /api/auth/registration";
const toSignUp = () => screen.queryByRole("button", { name: "New here? Create an account" });
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

test("a server that has its user already does not offer to sign up", async () => {
  server.on(REGISTRATION, { isOpen: false });
  await show(<Welcome />);
  await waitFor(() => expect(toSignUp()).toBeNull());
  expect(screen.getByRole("button", { name: "Sign in" })).toBeTruthy();
});

test("who comes second by a hair is told, and can go back to signing in", async () => {
  server.on(REGISTRATION, { isOpen: true });
  server.refuseOnce("POST /api/auth/register", 403, { code: "registration_closed" });
  await show(<Welcome />);
  await userEvent.click(toSignUp() as HTMLElement);
  await userEvent.type(screen.getByLabelText("Email"), "late@example.com");
  await userEvent.type(screen.getByLabelText("Password"), "violet kettle orbit");
  await userEvent.click(screen.getByRole("button", { name: "Create account" }));
  expect(await screen.findByText("This server has its user already. Sign in instead.")).toBeTruthy();
  expect(server.bodies("POST /api/auth/login")).toEqual([]);
});

test("a sign-out that the server did not hear is told, and told to the server until it hears", async () => {
  server.on(REGISTRATION, { isOpen: false });
  server.on("POST /api/auth/logout", {});
  server.refuseOnce("POST /api/auth/logout", 503, { code: "unavailable" });
  await show(<Welcome />);
  const told = () => screen.queryByText(/the server could not be told yet/);
  expect(told()).toBeNull();
  await act(signOut);
  expect(told()).toBeTruthy();
  await waitFor(() => expect(told()).toBeNull(), { timeout: 5_000 });
  expect(server.bodies("POST /api/auth/logout")).toHaveLength(2);
});

test("a sign-out that the server hears says nothing further", async () => {
  server.on(REGISTRATION, { isOpen: false });
  server.on("POST /api/auth/logout", {});
  await show(<Welcome />);
  await act(signOut);
  expect(screen.queryByText(/the server could not be told yet/)).toBeNull();
});
