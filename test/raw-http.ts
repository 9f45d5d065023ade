import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

/**
 * One answer as it came over the wire: header names in lower case, each as often as it was sent.
 */
export type RawAnswer = { status: number; headers: [string, string][]; body: string };

/** A port, and from which loopback address: each 127.x.y.z is a client of its own to the proxy. */
export type TcpTarget = { port: number; from?: string; tls?: { ca: string; servername?: string } };
export type RawTarget = TcpTarget | { path: string };

const PATIENCE_MS = 5000;

/**
 * Sends exactly these bytes on a connection of its own; all that comes back until it is closed, ""
 * when nothing did.
 */
export function sendRaw(target: RawTarget, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = open(target, () => socket.write(bytes));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
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

export type RawAsking = { headers?: Record<string, string>; body?: string | Uint8Array };

/**
 * One request whose path is sent as it is written, and its one answer. Throws when there is none.
 */
export async function askRaw(
  target: RawTarget,
  method: string,
  path: string,
  { headers = {}, body }: RawAsking = {},
): Promise<RawAnswer> {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close"];
  if (bytes) lines.push(`Content-Length: ${bytes.byteLength}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return parseAnswer(await sendRaw(target, bytes ? Buffer.concat([head, bytes]) : head));
}

/** The first answer in `text`; what follows it counts as its body. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [line = "", ...headers] = text.slice(0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1]);
  if (end < 0 || !status)
    throw new Error(`This is no answer: ${JSON.stringify(text.slice(0, 200))}`);
  return {
    status,
    headers: headers.map((header) => {
      const colon = header.indexOf(":");
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    }),
    body: text.slice(end + 4),
  };
}

/** Every value that a header was sent with. */
export const valuesOf = ({ headers }: RawAnswer, name: string): string[] =>
  headers.filter(([given]) => given === name).map(([, value]) => value);
