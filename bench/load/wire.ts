/** A request to the API; `path` includes the query. */
export type ApiRequest = {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | ArrayBuffer;
};

/** Encodes a request for HTTP/1.1. Throws for a binary body, which no scenario under load has. */
export function encodeRequest({ method, path, headers = {}, body }: ApiRequest): string {
  if (body !== undefined && typeof body !== "string")
    throw new Error(`${path} takes a file, which a load cannot send`);
  const complete = {
    Host: "localhost",
    ...headers,
    ...(body ? { "Content-Length": String(Buffer.byteLength(body)) } : {}),
  };
  const lines = Object.entries(complete).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}
