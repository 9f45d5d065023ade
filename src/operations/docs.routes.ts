import { Type } from "@sinclair/typebox";
import style from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import type { Reply } from "../http/reply.ts";
import { type Operation, operation } from "./operation.ts";

const tag = "System";
const Text = Type.String({ maxLength: 10_000_000 });

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>IronTrack API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null });\n`;

/**
 * Scripts of our own origin only; Swagger UI sets styles inline and draws icons from data: URLs.
 */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The reference page with everything it needs, so that it works with no internet; and the document
 * it shows.
 */
export function docsRoutes(openApi: () => string): Operation[] {
  const asset = (
    path: string,
    id: string,
    summary: string,
    answerMedia: string,
    body: () => Reply["body"] | Promise<Reply["body"]>,
  ) =>
    operation(
      "GET",
      path,
      { id, tag, summary, access: "anyone", answers: { 200: Text }, answerMedia },
      async () => ({
        status: 200,
        body: await body(),
        headers: {
          "content-type": `${answerMedia};charset=utf-8`,
          "content-security-policy": POLICY,
          "cache-control": "public, max-age=300",
        },
      }),
    );
  // Bytes, not a `Bun.file`: for a file, Bun answers range requests itself, and one past the end
  // (416) without a body.
  return [
    asset(
      "/openapi.json",
      "GetOpenApi",
      "This API as an OpenAPI 3.1 document",
      "application/json",
      openApi,
    ),
    asset("/docs", "GetDocs", "The reference page", "text/html", () => PAGE),
    asset(
      "/docs/start.js",
      "GetDocsStart",
      "Starts the reference page",
      "text/javascript",
      () => START,
    ),
    asset("/docs/swagger-ui.css", "GetDocsStyle", "Style of the reference page", "text/css", () =>
      Bun.file(style).bytes(),
    ),
    asset(
      "/docs/swagger-ui-bundle.js",
      "GetDocsScript",
      "Script of the reference page",
      "text/javascript",
      () => Bun.file(script).bytes(),
    ),
  ];
}
