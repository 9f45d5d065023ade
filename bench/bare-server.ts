// The physical limit beside which an operation is measured: the same bytes from a bare Bun.serve on a Unix socket.
// Arguments: the socket's path, and the answer as JSON `{ status, headers, body }`.
const [, , unix = "", given = "{}"] = process.argv;
const { status, headers, body } = JSON.parse(given) as {
  status: number;
  headers: Record<string, string>;
  body: string;
};

Bun.serve({
  unix,
  development: false,
  routes: { "/ping": () => new Response("OK") },
  fetch: () => new Response(status === 304 ? null : body, { status, headers }),
});
process.on("SIGTERM", () => process.exit(0));
