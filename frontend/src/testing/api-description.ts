/** The server's OpenAPI document, as far as tests read it: what an answer looks like, and whether something fits. */
import text from "../../openapi.json?raw";

export interface Schema {
  $ref?: string;
  oneOf?: Schema[];
  /** Parts of one object. */
  allOf?: Schema[];
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  example?: unknown;
  minimum?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

export interface Operation {
  requestBody?: Content;
  responses: Record<string, Content>;
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const description = JSON.parse(text) as Description;

function resolved(schema: Schema): Schema {
  if (schema.allOf !== undefined) return joined(schema.allOf.map(resolved));
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace("#/components/schemas/", "");
  const found = description.components.schemas[name];
  if (found === undefined) throw new Error(`the API describes no ${name}`);
  return resolved(found);
}

/** One object of several parts. */
function joined(parts: readonly Schema[]): Schema {
  return {
    type: "object",
    required: parts.flatMap(({ required = [] }) => required),
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)) as Record<string, Schema>,
  };
}

const isNull = (schema: Schema) => schema.type === "null";
const typesOf = ({ type }: Schema) => (Array.isArray(type) ? type : type === undefined ? [] : [type]);

const TEXTS: Record<string, string> = {
  "date-time": "2026-11-20T15:00:00Z",
  date: "2026-11-20",
  uuid: "018f0000-0000-7000-8000-000000000000",
};

/** The plainest value that a schema allows: what may be absent is, lists are empty. */
export function sampleOf(given: Schema): unknown {
  const schema = resolved(given);
  if (schema.oneOf !== undefined) {
    const [first] = schema.oneOf.filter((choice) => !isNull(choice));
    return schema.oneOf.some(isNull) || first === undefined ? null : sampleOf(first);
  }
  if (schema.enum !== undefined) return schema.enum[0];
  const types = typesOf(schema);
  if (types.includes("null")) return null;
  if (schema.example !== undefined) return schema.example;
  switch (types[0]) {
    case "object": {
      const { required = [], properties = {} } = schema;
      return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name] ?? {})]));
    }
    case "array":
      return [];
    case "integer":
    case "number":
      return schema.minimum ?? 0;
    case "boolean":
      return false;
    default:
      return TEXTS[schema.format ?? ""] ?? "text";
  }
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" && Number.isInteger(value) ? "integer" : typeof value;
}

/** What in a value does not fit a schema, each by its path. */
export function misfits(value: unknown, given: Schema, path = "$"): string[] {
  const schema = resolved(given);
  if (schema.oneOf !== undefined) {
    const tries = schema.oneOf.map((choice) => misfits(value, choice, path));
    return tries.some((found) => found.length === 0) ? [] : (tries[0] ?? []);
  }
  const types = typesOf(schema);
  const type = typeOf(value);
  if (types.length > 0 && !types.includes(type) && !(type === "integer" && types.includes("number")))
    return [`${path} is ${type}, not ${types.join(" or ")}`];
  if (schema.enum !== undefined && value !== null && !schema.enum.includes(value))
    return [`${path} is ${String(value)}, none of ${schema.enum.join(", ")}`];
  if (Array.isArray(value) && schema.items !== undefined) {
    const { items } = schema;
    return value.flatMap((item, index) => misfits(item, items, `${path}[${index}]`));
  }
  return type === "object" ? misfitsOfObject(value as Record<string, unknown>, schema, path) : [];
}

function misfitsOfObject(value: Record<string, unknown>, schema: Schema, path: string): string[] {
  const { properties, required = [] } = schema;
  if (properties === undefined) return [];
  const missing = required.filter((name) => value[name] === undefined);
  return [
    ...missing.map((name) => `${path}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, part]) => {
      const known = properties[name];
      if (known === undefined) return [`${path}.${name} is not in the API`];
      return part === undefined ? [] : misfits(part, known, `${path}.${name}`);
    }),
  ];
}

export interface Route {
  name: string;
  operation: Operation;
  parameters: Record<string, string>;
}

/** The operation that a request is for, by the API's own paths; those without parameters come first. */
export function routeOf(method: string, path: string): Route | null {
  const patterns = Object.entries(description.paths).sort(
    ([left], [right]) => Number(left.includes("{")) - Number(right.includes("{")),
  );
  for (const [pattern, operations] of patterns) {
    const operation = operations[method.toLowerCase()];
    const matched = new RegExp(`^${pattern.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`).exec(path);
    if (operation !== undefined && matched !== null)
      return { name: `${method} ${pattern}`, operation, parameters: { ...matched.groups } };
  }
  return null;
}

/** The status and shape of an operation's success. */
export function successOf({ responses }: Operation): { status: number; schema: Schema | undefined } {
  const [status = "200", answer] = Object.entries(responses).find(([code]) => code.startsWith("2")) ?? [];
  return { status: Number(status), schema: answer?.content?.["application/json"]?.schema };
}

export function bodyOf({ requestBody }: Operation): Schema | undefined {
  return requestBody?.content?.["application/json"]?.schema;
}
