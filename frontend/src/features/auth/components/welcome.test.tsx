// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
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
