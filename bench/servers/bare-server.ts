// The physical limit beside which an operation is measured: the same bytes from a bare Bun.serve on
// a Unix socket. Arguments: the socket's path, the answer as JSON `{ status, headers, body }`, and
// "reading" when it is to read what a request that is signed in, conditional and named must be read
// for.
const [, , unix = "", given = "{}", manner = "blind"] = process.argv;
const { status, headers, body } = JSON.parse(given) as {
  status: number;
  headers: Record<string, string>;
  body: string;
};

const content = status === 304 ? null : body;
const blind = () => new Response(content, { status, headers });

const complete = new Headers(headers);
/** Uses everything that it reads, or reading might be left out. */
function reading({ headers: sent, url }: Request): Response {
  const isSignedIn = sent.get("cookie") !== null && sent.get("x-request-id") !== null;
  const isAsked = isSignedIn && sent.get("if-none-match") !== null && url.includes("?");
  return new Response(content, { status: isAsked ? status : 400, headers: complete });
}

Bun.serve({
  unix,
  development: false,
  routes: { "/ping": () => new Response("OK") },
  fetch: manner === "reading" ? reading : blind,
});
process.on("SIGTERM", () => process.exit(0));
