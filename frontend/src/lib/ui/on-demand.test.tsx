// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { show } from "@/testing/render";
import { onDemand } from "./on-demand";
import "@/testing/set-up";

function Part({ children }: { onClose: () => void; children: string }) {
  return <p>{children}</p>;
}

test("a window whose code is not there yet appears when it is", async () => {
  const Window = onDemand<Parameters<typeof Part>[0]>(async () => ({ default: Part }));
  await show(<Window onClose={() => {}}>opened</Window>);
  await screen.findByText("opened");
});

test("a window whose code was fetched before is there at once", async () => {
  const Window = onDemand<Parameters<typeof Part>[0]>(async () => ({ default: Part }));
  await Window.load();
  await show(<Window onClose={() => {}}>opened</Window>);
  expect(screen.getByText("opened")).toBeTruthy();
});

test("a window whose code cannot be had is closed, and it is said why", async () => {
  const onClose = vi.fn();
  const Window = onDemand<Parameters<typeof Part>[0]>(() => Promise.reject(new Error("gone")));
  await show(<Window onClose={onClose}>opened</Window>, "ko");
  expect((await screen.findByText(/서버에 연결할 수 없습니다/)).textContent).toBeTruthy();
  expect(onClose).toHaveBeenCalledOnce();
});
