import type { TObject, TSchema } from "@sinclair/typebox";
import { Type } from "@sinclair/typebox";
import packageJson from "../../package.json" with { type: "json" };
import { MAX_DETAIL_LENGTH } from "../http/problems.ts";
import { strict } from "../http/shapes.ts";
import type { Method, Operation } from "./operation.ts";

const FieldFault = strict({
  field: Type.String({ maxLength: 200, description: "JSON pointer" }),
  code: Type.String({ maxLength: 50 }),
  message: Type.String({ maxLength: 500 }),
});
export const Problem = strict({
  type: Type.String({ maxLength: 200 }),
  title: Type.String({ maxLength: 50 }),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ maxLength: MAX_DETAIL_LENGTH }),
  code: Type.String({ maxLength: 100 }),
  requestId: Type.String({ maxLength: 128 }),
  errors: Type.Optional(Type.Array(FieldFault, { maxItems: 100 })),
});

/**
 * The OpenAPI 3.1 document of `operations`: each with its operationId, tag, every status it can
 * answer, and shapes. `cookies` are the names of the two that sign in.
 */
export function openApiDocument(
  operations: Operation[],
  cookies: { access: string; refresh: string },
) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:([A-Za-z]+)/g, "{$1}");
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "IronTrack",
      version: packageJson.version,
      description: packageJson.description,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Problem: plainSchema(Problem) },
      securitySchemes: {
        access_token: cookieScheme(
          cookies.access,
          "Set by signing in and refreshing; sent to the whole API",
        ),
        refresh_token: cookieScheme(
          cookies.refresh,
          "Set by signing in and refreshing; sent to /api/v1/access only",
        ),
      },
    },
  };
}

const cookieScheme = (name: string, description: string) => ({
  type: "apiKey",
  in: "cookie",
  name,
  description,
});

function describe({ method, spec }: Operation) {
  const responses: Record<string, unknown> = {};
  for (const [status, schema] of Object.entries(spec.answers)) {
    const media = spec.answerMedia ?? "application/json";
    responses[status] = schema
      ? { description: "Success", content: { [media]: { schema: plainSchema(schema) } } }
      : { description: "Success, without a body" };
  }
  if (spec.isTagged)
    responses[304] = { description: "The client has the current answer (If-None-Match)" };
  // Bun's own answer, before the application sees the request.
  if (spec.query || spec.params)
    responses[431] = { description: "The request's head is longer than 16 KiB; without a body" };
  for (const [status, description] of Object.entries(problemsOf(method, spec))) {
    responses[status] ??= {
      description,
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    };
  }
  return {
    operationId: spec.id,
    tags: [spec.tag],
    summary: spec.summary,
    "x-access": spec.access,
    security:
      spec.access === "anyone"
        ? []
        : (spec.credentials ?? ["access_token"]).map((name) => ({ [name]: [] })),
    parameters: [
      ...parameters("path", spec.params),
      ...parameters("query", spec.query),
      ...(takesKey(method, spec) ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(spec.body || spec.file ? { requestBody: bodyOf(spec) } : {}),
    responses,
  };
}

const takesKey = (method: Method, spec: Operation["spec"]) =>
  method !== "GET" && spec.access !== "anyone" && !spec.credentials;

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "Sent again with the same key within 24 hours, the request is answered as before and not done twice",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
};

/** What may go wrong with any operation of this kind, and what this one adds. */
function problemsOf(method: Method, spec: Operation["spec"]): Record<number, string> {
  return {
    ...(spec.body ? { 400: "The body cannot be parsed" } : {}),
    ...(spec.body || spec.file
      ? { 413: "The body is too large", 415: "Another media type is needed" }
      : {}),
    ...(spec.query ? { 414: "The query string is too long" } : {}),
    ...(spec.access === "anyone" ? {} : { 401: "Not signed in, or no longer" }),
    ...(method === "GET" ? {} : { 403: "Sent by another site" }),
    ...(takesKey(method, spec)
      ? {
          409: "The request with this Idempotency-Key is under way",
          422: "The key came with another request",
        }
      : {}),
    ...(spec.access === "superuser" || spec.access === "trainer"
      ? { 403: "Signed in, but not allowed" }
      : {}),
    ...(spec.body || spec.query || spec.params ? { 422: "An input does not fit" } : {}),
    500: "A fault on our side",
    503: "Too busy, or the database cannot be reached",
    ...spec.problems,
  };
}

function bodyOf({ body, bodyMedia, file }: Operation["spec"]) {
  if (file)
    return {
      required: true,
      content: { [file.type]: { schema: { type: "string", format: "binary" } } },
    };
  const schema = { schema: plainSchema(body as TSchema) };
  const forms = { "application/x-www-form-urlencoded": schema, "multipart/form-data": schema };
  return {
    required: true,
    content: { "application/json": schema, ...(bodyMedia === "json-or-form" ? forms : {}) },
  };
}

const parameters = (place: "path" | "query", schema: TObject | undefined) =>
  Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: schema?.required?.includes(name) ?? false,
    ...(property.description ? { description: property.description } : {}),
    schema: plainSchema(property),
  }));

const OUR_KEYWORDS = new Set(["normalise", "checkedLater"]);

/** A TypeBox schema as JSON Schema: unions of words become enums, and our own keywords go. */
function plainSchema(schema: TSchema): unknown {
  const json = JSON.parse(JSON.stringify(schema), (key, value) =>
    OUR_KEYWORDS.has(key) ? undefined : value,
  );
  return foldWords(json);
}

function foldWords(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(foldWords);
  if (typeof node !== "object" || node === null) return node;
  const { anyOf, ...rest } = node as { anyOf?: { const?: string }[] };
  const folded = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, foldWords(value)]),
  );
  if (!anyOf) return folded;
  if (anyOf.every((option) => "const" in option))
    return { ...folded, type: "string", enum: anyOf.map((option) => option.const) };
  return { ...folded, anyOf: anyOf.map(foldWords) };
}
