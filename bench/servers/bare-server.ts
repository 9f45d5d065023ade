// The upper limit that an operation is compared with: the same bytes from a bare Bun.serve on a
// Unix socket. Arguments: the socket's path, the answer as JSON `{ status, headers, body }`, and
// optionally "reading", to read what an authenticated, conditional request must be checked for.
const [, , unix = "", answer = "{}", handling = "blind"] = process.argv;
const { status, headers, body } = JSON.parse(answer) as {
  status: number;
  headers: Record<string, string>;
  body: string;
};

const content = status === 304 ? null : body;
const blind = () => new Response(content, { status, headers });

const prepared = new Headers(headers);
/** Uses every value that it reads, so that the compiler cannot leave the reads out. */
function reading({ headers: requestHeaders, url }: Request): Response {
  const isSignedIn =
    requestHeaders.get("cookie") !== null && requestHeaders.get("x-request-id") !== null;
  const isConditional =
    isSignedIn && requestHeaders.get("if-none-match") !== null && url.includes("?");
  return new Response(content, { status: isConditional ? status : 400, headers: prepared });
}

Bun.serve({
  unix,
  development: false,
  routes: { "/ping": () => new Response("OK") },
  fetch: handling === "reading" ? reading : blind,
});
process.on("SIGTERM", () => process.exit(0));
