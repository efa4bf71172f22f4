// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { User } from "@/lib/api/types";
import { accessToken, endSession, startSession, useSession } from "@/lib/session";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { Profile } from "./profile";
import "@/testing/set-up";

const user: User = {
  id: "018f0000-0000-7000-8000-000000000001",
  email: "ant@example.com",
  displayName: "Ant",
  language: "en",
  totpEnabled: false,
  createdAt: "2026-01-05T10:00:00Z",
};
const PASSWORD = "POST /api/users/password";
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
  startSession({ accessToken: "first", expiresInSeconds: 900, user });
});
afterEach(endSession);

async function changeTo(newPassword: string, code?: string) {
  await userEvent.type(screen.getByLabelText("Present password"), "violet kettle orbit");
  await userEvent.type(screen.getByLabelText("New password"), newPassword);
  if (code !== undefined)
    await userEvent.type(screen.getByLabelText("Code from the app, or a recovery code"), code);
  await userEvent.click(screen.getByRole("button", { name: "Change the password" }));
}

test("a name is saved, and an empty one takes it away", async () => {
  server.on("PUT /api/users/profile", { ...user, displayName: null });
  await show(<Profile user={user} />);
  const name = screen.getByLabelText("Name (optional)");
  await userEvent.clear(name);
  await userEvent.click(screen.getByRole("button", { name: "Save the name" }));
  await screen.findByText("The name was saved.");
  expect(server.bodies("PUT /api/users/profile")).toEqual([{ displayName: null }]);
  expect(useSession.getState().user?.displayName).toBeNull();
});

test("another password goes on with the session of the answer", async () => {
  server.on(PASSWORD, { accessToken: "second", expiresInSeconds: 900, user });
  await show(<Profile user={user} />);
  await changeTo("amber ladder tuesday");
  await waitFor(() => expect(accessToken()).toBe("second"));
  expect(server.bodies(PASSWORD)).toEqual([
    {
      currentPassword: "violet kettle orbit",
      newPassword: "amber ladder tuesday",
      deliverRefreshToken: "cookie",
    },
  ]);
  expect(screen.getByLabelText("Present password")).toHaveProperty("value", "");
});

test("what is wrong is said at its field", async () => {
  server.refuseOnce(PASSWORD, 401, { code: "invalid_credentials" });
  await show(<Profile user={user} />);
  await changeTo("amber ladder tuesday");
  await screen.findByText("This is not your present password.");
  expect(screen.getByLabelText("Present password").getAttribute("aria-invalid")).toBe("true");
  expect(accessToken()).toBe("first");

  const errors = [
    { field: "newPassword", rule: "too_common", message: "is among the most common passwords" },
  ];
  server.refuseOnce(PASSWORD, 422, { code: "validation_failed", errors });
  await userEvent.click(screen.getByRole("button", { name: "Change the password" }));
  await screen.findByText("This password is on the lists that attackers try first.");
  expect(screen.queryByText("This is not your present password.")).toBeNull();
});

test("with two-factor login a code goes with it, of the app or for recovery", async () => {
  await show(<Profile user={{ ...user, totpEnabled: true }} />);
  await changeTo("amber ladder tuesday", "123456");
  await waitFor(() => expect(server.bodies(PASSWORD)).toHaveLength(1));
  expect(server.bodies(PASSWORD)[0]).toMatchObject({ code: "123456" });
});
