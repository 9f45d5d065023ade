// The three operations on Fastify, on Node.
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { NOT_SIGNED_IN, openStore, readSettings } from "./peer-store.ts";

const settings = readSettings();
const { authenticate, listExercises } = openStore(settings);

declare module "fastify" {
  interface FastifyRequest {
    user: { id: string } | null;
  }
}

const app = fastify();
app.decorateRequest("user", null);

async function requireUser(request: FastifyRequest, reply: FastifyReply) {
  const user = await authenticate(request.headers.cookie);
  if (!user) return reply.code(401).send(NOT_SIGNED_IN);
  request.user = user;
}

app.get("/ping", (_request, reply) => reply.type("text/plain; charset=utf-8").send("OK"));
app.get("/api/v1/access/me", { preHandler: requireUser }, async ({ user }) => user);
app.get("/api/v1/exercises", { preHandler: requireUser }, () => listExercises());

await app.listen({ path: settings.unix });
process.on("SIGTERM", () => process.exit(0));
