import { expect, test } from "vitest";
import { misfits, routeOf, sampleOf, successOf } from "./api-description";

const schemaOf = (method: string, path: string) => {
  const schema = successOf(routeOf(method, path)?.operation ?? { responses: {} }).schema;
  if (schema === undefined) throw new Error(`${method} ${path} answers nothing`);
  return schema;
};

test("a sample of every answer fits its own description", () => {
  for (const path of ["/api/portfolio", "/api/orders", "/api/users/profile", "/api/market/hours"]) {
    const schema = schemaOf("GET", path);
    expect(misfits(sampleOf(schema), schema), path).toEqual([]);
  }
});

test("what the API would not say is found, by its place", () => {
  const profile = schemaOf("GET", "/api/users/profile");
  const sample = sampleOf(profile) as Record<string, unknown>;
  expect(misfits({ ...sample, language: "fr" }, profile)).toEqual(["$.language is fr, none of en, ko"]);
  expect(misfits({ ...sample, totpEnabled: "no" }, profile)).toEqual([
    "$.totpEnabled is string, not boolean",
  ]);
  expect(misfits({ ...sample, nickname: "Ant" }, profile)).toEqual(["$.nickname is not in the API"]);
  const { email: _, ...without } = sample;
  expect(misfits(without, profile)).toEqual(["$.email is missing"]);
});

test("a request is told by the API's paths, the plain ones first", () => {
  expect(routeOf("GET", "/api/orders/export")?.name).toBe("GET /api/orders/export");
  expect(routeOf("GET", "/api/orders/7")).toMatchObject({
    name: "GET /api/orders/{id}",
    parameters: { id: "7" },
  });
  expect(routeOf("PUT", "/api/orders/7")).toBeNull();
  expect(routeOf("GET", "/elsewhere")).toBeNull();
});
