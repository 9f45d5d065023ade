/** A request to the API: `path` is that of the URL, with its query. */
export type ApiRequest = {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | ArrayBuffer;
};

/**
 * A request as it goes over the wire. Throws for one that sends a file of bytes, which no scenario
 * under load does.
 */
export function encodeRequest({ method, path, headers = {}, body }: ApiRequest): string {
  if (body !== undefined && typeof body !== "string")
    throw new Error(`${path} takes a file, which is not put under load`);
  const complete = {
    Host: "localhost",
    ...headers,
    ...(body ? { "Content-Length": String(Buffer.byteLength(body)) } : {}),
  };
  const lines = Object.entries(complete).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}
