import type { TSchema } from "@sinclair/typebox";
import fc from "fast-check";
import { postgresError } from "#lib/causes.ts";
import { listOperations } from "#src/app/app.ts";
import { openApiDocument } from "#src/operations/openapi.ts";
import type { Operation } from "#src/operations/operation.ts";
import { fitting, nastyText } from "./extreme-values.ts";
import type { Answer, Api, RequestOptions } from "./harness.ts";
import { bodies, mostlyFitting } from "./hostile-bodies.ts";
import { type HostileFixtures, makeHostileFixtures } from "./hostile-fixtures.ts";
import { databaseErrorsOf } from "./transaction.ts";

type HostileRequest = { method: string; path: string; requestOptions: RequestOptions };

/** Requests to one operation with valid and invalid values, and with existing and unknown ids. */
function hostileRequests(
  { method, path, spec }: Operation,
  fixtures: HostileFixtures,
): fc.Arbitrary<HostileRequest> {
  const names = [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => name as string);
  const { existing, params, cookies } = fixtures;
  const paramOf = (name: string) =>
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          ...(params[name === "id" ? (path.split("/").at(-2) as string) : name] ?? existing.ids),
        ),
      },
      {
        weight: 1,
        arbitrary: fitting(spec.params?.properties[name] as TSchema, existing, name).map(String),
      },
      { weight: 1, arbitrary: nastyText },
    );
  const query = spec.query ? mostlyFitting(fitting(spec.query, existing)) : fc.constant({});
  return fc
    .record({
      params: fc.tuple(...names.map(paramOf)),
      query: fc.oneof(
        { weight: 5, arbitrary: query },
        { weight: 1, arbitrary: fc.dictionary(nastyText, nastyText, { maxKeys: 3 }) },
      ),
      payload: bodies(spec, fixtures),
      headers: headers(),
      as: fc.oneof(
        { weight: 8, arbitrary: fc.constant(cookieOf(spec, cookies)) },
        { weight: 1, arbitrary: fc.constantFrom(cookies.stranger, "", INVALID_COOKIES) },
      ),
    })
    .map((request) => {
      let index = 0;
      const filled = path.replaceAll(/:[A-Za-z]+/g, () =>
        segment(request.params[index++] as string),
      );
      return {
        method,
        path: `${filled}${search(request.query as Record<string, unknown>)}`,
        requestOptions: {
          as: request.as,
          ...request.payload,
          headers: { ...request.headers, ...request.payload.headers },
        },
      };
    });
}

function cookieOf(
  { id, access, credentials }: Operation["spec"],
  cookies: HostileFixtures["cookies"],
): string {
  // Archives can only be imported into an empty account.
  if (id === "ImportArchive") return cookies.stranger;
  return credentials?.includes("refresh_token") ? cookies.refresh : cookies[access];
}

const INVALID_COOKIES = "access_token=e30.e30.e30; refresh_token=x";

/** An encoded segment of a path. Clients would resolve `.` and `..`. */
const segment = (text: string) =>
  /^\.*$/.test(text) ? "x" : encodeURIComponent(text.toWellFormed());

function search(query: unknown): string {
  if (typeof query !== "object" || query === null)
    return `?${encodeURIComponent(String(query).toWellFormed())}`;
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((part) => {
      const text = typeof part === "string" ? part : (JSON.stringify(part) ?? "");
      return `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(text.toWellFormed())}`;
    }),
  );
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}

const NO_HEADERS: Record<string, string> = {};
const headers = () =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(NO_HEADERS) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Record<string, string>>(
        ...["a", "k".repeat(255), "k".repeat(256), "ü", ""].map((key) => ({
          "idempotency-key": key,
        })),
        ...['"1"', "*", '"2147483648"', "x", ""].map((tag) => ({ "if-match": tag })),
        ...["*", '"x"', 'W/"a", "b"', ""].map((tag) => ({ "if-none-match": tag })),
        ...["ok-request-id", "ü".repeat(200)].map((id) => ({ "x-request-id": id })),
      ),
    },
  );

/** The tags of all operations. */
export const HOSTILE_TAGS = [
  "Access",
  "Archive",
  "Audit",
  "Equipment",
  "Exercise Tags",
  "Exercises",
  "Imports",
  "Muscle Groups",
  "Plans",
  "Progress",
  "Routines",
  "Sharing",
  "Sync",
  "System",
  "Trainers",
  "User Accounts",
  "Workouts",
];

/** The share of cases for slow operations, which hash passwords or read the whole catalog. */
const SHARE: Record<string, number> = {
  AccountLogin: 0.1,
  AccountUpdatePwd: 0.1,
  RevokeLogin: 0.1,
  RevokeOtherLogins: 0.1,
  AccountRegister: 0.2,
  CreateUser: 0.2,
  UpdateUser: 0.2,
  CountExercises: 0.2,
  GetOpenApi: 0.1,
  GetDocsScript: 0.1,
};

/**
 * Sends `cases` hostile requests to each operation of `tag` (fewer to slow ones), and rolls each
 * back. Returns a line for each operation with a fault; see `faultOfAnswer`.
 */
export async function findHostileInputFaults(
  api: Api,
  tag: string,
  cases: number,
): Promise<string[]> {
  const fixtures = await makeHostileFixtures(api);
  const faults: string[] = [];
  for (const operation of listOperations(api.deps)) {
    const { id } = operation.spec;
    if (operation.spec.tag !== tag) continue;
    const property = fc.asyncProperty(hostileRequests(operation, fixtures), async (request) => {
      const fault = await faultOfAnswer(api, id, request);
      if (fault) throw new Error(fault);
    });
    const { failed, errorInstance, counterexample } = await fc.check(property, {
      numRuns: Math.ceil(cases * (SHARE[id] ?? 1)),
      endOnFailure: true,
    });
    if (failed)
      faults.push(`${id}: ${errorInstance}\n${JSON.stringify(counterexample).slice(0, 2000)}`);
  }
  return faults;
}

/**
 * Codes that reveal a gap in validation or a conflict with other requests, of which there are none;
 * also of an item in a batch.
 */
const GAP = /"code" ?: ?"(?:value_refused|changed_meanwhile|internal)"/;

/**
 * Sends a request, rolls it back, and returns the fault of the response if any: an internal error, a
 * gap in validation, an undocumented status, or a statement that PostgreSQL rejected for its values
 * or its text.
 */
async function faultOfAnswer(
  api: Api,
  operationId: string,
  request: HostileRequest,
): Promise<string | undefined> {
  const { sql } = api.deps.db;
  await sql.unsafe("savepoint hostile_request");
  let answer: Answer | undefined;
  const errors = await databaseErrorsOf(async () => {
    answer = await api.ask(request.method, request.path, request.requestOptions);
  }).finally(() => sql.unsafe("rollback to savepoint hostile_request"));
  const { status, text } = answer as Answer;
  const rejected = errors.find((error) => /^(22|42|XX)/.test(postgresError(error)?.code ?? ""));
  if (rejected)
    return `PostgreSQL rejected a statement: ${postgresError(rejected)?.code} ${(rejected as Error).message}`;
  if (status >= 500 || GAP.test(text)) return `${status} ${text} ${errors.join("; ")}`;
  return documentedStatuses(api).get(operationId)?.has(status)
    ? undefined
    : `${status} is not documented: ${text}`;
}

const documented = new WeakMap<Api, Map<string, Set<number>>>();

function documentedStatuses(api: Api): Map<string, Set<number>> {
  let statuses = documented.get(api);
  if (!statuses) {
    const { paths } = openApiDocument(listOperations(api.deps), {
      access: "access_token",
      refresh: "refresh_token",
    });
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods)) as {
      operationId: string;
      responses: object;
    }[];
    statuses = new Map(
      operations.map(({ operationId, responses }) => [
        operationId,
        new Set(Object.keys(responses).map(Number)),
      ]),
    );
    documented.set(api, statuses);
  }
  return statuses;
}
