import type { TSchema } from "@sinclair/typebox";
import { refusal } from "#db/errors.ts";
import { AppError } from "#lib/errors.ts";
import { invalidRequest, pointer } from "./input.ts";
import { HttpProblem } from "./problems.ts";

const MAX_BODY_BYTES = 1_048_576;
const MAX_DEPTH = 32;

/** The media types that an operation accepts. */
export type BodyMedia = "json" | "json-or-form";

/** A body that is a file. The server accepts at most 16 MiB. */
export type FileMedia = { type: string; maxBytes: number };

/**
 * The parsed body, not yet validated. Throws 415 for another media type or charset, 413 above
 * 1 MiB, 400 if it is not UTF-8, not JSON or nested more than 32 deep, and `CLIENT_GONE` if the
 * client hangs up. `schema` names the fields that a form may not repeat.
 */
export async function readBody(
  request: Request,
  media: BodyMedia,
  schema: TSchema,
): Promise<unknown> {
  const contentType = request.headers.get("content-type") ?? "";
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase();
  const isForm = type === "application/x-www-form-urlencoded" || type === "multipart/form-data";
  if (type !== "application/json" && !(isForm && media === "json-or-form")) {
    throw unsupported(media === "json" ? "application/json" : "application/json or a form");
  }
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8")
    throw unsupported("UTF-8");
  if (request.headers.has("content-encoding")) throw unsupported("an identity content encoding");
  const bytes = await readBytes(request);
  if (type === "multipart/form-data") return readMultipart(bytes, contentType, schema);
  const text = decodeUtf8(bytes);
  return isForm ? readForm(new URLSearchParams(text), schema) : parseJson(text);
}

/** The body as bytes. Throws 415 for another media type, 413 if too long, and `CLIENT_GONE`. */
export async function readFile(
  request: Request,
  { type, maxBytes }: FileMedia,
): Promise<Uint8Array<ArrayBuffer>> {
  const given = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (given !== type) throw unsupported(type);
  if (request.headers.has("content-encoding")) throw unsupported("an identity content encoding");
  return readBytes(request, maxBytes);
}

async function readBytes(
  request: Request,
  maxBytes = MAX_BODY_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  // A body without Content-Length is read only until it exceeds the limit.
  if (request.headers.has("content-length"))
    return new Uint8Array(await received(request.arrayBuffer()));
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { value } = (await (reader && received(reader.read()))) ?? {};
    if (!value) return new Uint8Array(Buffer.concat(chunks));
    length += value.byteLength;
    if (length > maxBytes) {
      await reader?.cancel();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

/** Translates a failed read, which means that the connection ended, to `CLIENT_GONE`. */
async function received<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw Object.assign(refusal("CLIENT_GONE"), { cause });
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("The body is not valid UTF-8");
  }
}

/** Ignores a byte order mark (RFC 8259 §8.1). */
function parseJson(sent: string): unknown {
  const text = sent.startsWith("\ufeff") ? sent.slice(1) : sent;
  if (isTooDeep(text)) throw malformed(`The body is nested more than ${MAX_DEPTH} deep`);
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("The body is not valid JSON");
  }
}

/** Whether JSON is nested more than 32 deep. Counts brackets, so that no parser has to recurse. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (inString) {
      if (character === 92) i++;
      else if (character === 34) inString = false;
    } else if (character === 34) inString = true;
    else if (character === 123 || character === 91) {
      if (++depth > MAX_DEPTH) return true;
    } else if (character === 125 || character === 93) depth--;
  }
  return false;
}

async function readMultipart(bytes: Uint8Array<ArrayBuffer>, contentType: string, schema: TSchema) {
  decodeUtf8(bytes);
  try {
    return readForm(
      await new Response(bytes, { headers: { "content-type": contentType } }).formData(),
      schema,
    );
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed("The body is not a valid form");
  }
}

/** More than any operation has. */
const MAX_FIELDS = 100;

function readForm(form: Iterable<[string, unknown]>, schema: TSchema): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  let count = 0;
  for (const [name, value] of form) {
    if (++count > MAX_FIELDS) throw malformed(`The form has more than ${MAX_FIELDS} fields`);
    if (name in fields && Object.hasOwn(schema.properties ?? {}, name))
      throw invalidRequest([
        { field: pointer(name), code: "repeated", message: "Must be given once" },
      ]);
    fields[name] = value;
  }
  return { ...fields };
}

const malformed = (detail: string) => new AppError("malformed", "malformed_body", detail);
const unsupported = (what: string) =>
  new HttpProblem({ status: 415, code: "unsupported_media_type", detail: `Send ${what}` });
const tooLarge = (maxBytes: number) =>
  new HttpProblem({
    status: 413,
    code: "body_too_large",
    detail: `The body is larger than ${maxBytes / 2 ** 20} MiB`,
  });
