import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

/** A response as received. Header names are in lower case; repeated headers are separate. */
export type RawAnswer = { status: number; headers: [string, string][]; body: string };

/** A port and a local address; the proxy sees each 127.x.y.z as a different client. */
export type TcpTarget = { port: number; from?: string; tls?: { ca: string; servername?: string } };
export type RawTarget = TcpTarget | { path: string };

const TIMEOUT_MS = 5000;

/** Sends exactly these bytes over a new connection, and returns everything received until it closes. */
export function sendRaw(target: RawTarget, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = open(target, () => socket.write(bytes));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

function open(target: RawTarget, onOpen: () => void) {
  if ("path" in target) return connect({ path: target.path }, onOpen);
  const to = {
    host: "127.0.0.1",
    port: target.port,
    ...(target.from ? { localAddress: target.from } : {}),
  };
  return target.tls
    ? connectTls({ ...to, servername: "localhost", ...target.tls }, onOpen)
    : connect(to, onOpen);
}

export type RawRequest = { headers?: Record<string, string>; body?: string | Uint8Array };

/** Sends one request with an unmodified path. Throws if there is no response. */
export async function askRaw(
  target: RawTarget,
  method: string,
  path: string,
  { headers = {}, body }: RawRequest = {},
): Promise<RawAnswer> {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close"];
  if (bytes) lines.push(`Content-Length: ${bytes.byteLength}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return parseAnswer(await sendRaw(target, bytes ? Buffer.concat([head, bytes]) : head));
}

/** Parses a response. Everything after its header is the body. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [line = "", ...headers] = text.slice(0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1]);
  if (end < 0 || !status) throw new Error(`Not a response: ${JSON.stringify(text.slice(0, 200))}`);
  return {
    status,
    headers: headers.map((header) => {
      const colon = header.indexOf(":");
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    }),
    body: text.slice(end + 4),
  };
}

/** All values of a header. */
export const valuesOf = ({ headers }: RawAnswer, name: string): string[] =>
  headers.filter(([header]) => header === name).map(([, value]) => value);
