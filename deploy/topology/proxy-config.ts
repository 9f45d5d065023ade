/**
 * Which of the two programs reads the configuration; nginx stands in where Angie cannot be
 * installed.
 */
export type ProxyProgram = "angie" | "nginx";
/** `bench` is the same without limits. */
export type ProxyVariant = "production" | "bench";

/**
 * All that the proxy's configuration has to be told; the rest of it is the same files everywhere
 * (`angie/`).
 */
export type Place = {
  program: ProxyProgram;
  variant: ProxyVariant;
  /** One for each worker: the path of its socket, or, for comparison, its address and port. */
  workerSockets: string[];
  /**
   * Holds what is the proxy's own: pid, temporary files, the status API's socket. Exists already.
   */
  directory: string;
  accessLog: string;
  /** Whom its processes run as; absent unless it is started as root. */
  user?: string;
  processCount: number | "auto";
  /**
   * Addresses as `listen` takes them. On a Unix socket the client is believed what its address is.
   */
  listen: { unix?: string; plain?: string[]; tls?: string[] };
  /** The names that TLS answers to; others are not even shaken hands with. */
  names: string[];
  certificate: { file: string; keyFile: string };
};

/** How it is in compose.yaml and the systemd units. */
export const PRODUCTION: Place = {
  program: "angie",
  variant: "production",
  workerSockets: [1, 2, 3, 4].map((number) => `/run/irontrack/irontrack.${number}.sock`),
  directory: "/run/edge",
  accessLog: "/dev/stdout",
  user: "angie",
  processCount: "auto",
  listen: { tls: ["443", "[::]:443"] },
  names: ["localhost"],
  certificate: { file: "/run/secrets/tls_certificate", keyFile: "/run/secrets/tls_key" },
};

/** The texts of the files under `place/`, by name. */
export function renderPlace(
  place: Place,
): Record<"main.conf" | "http.conf" | "server.conf", string> {
  return {
    "main.conf": renderMain(place),
    "http.conf": renderHttp(place),
    "server.conf": renderServer(place),
  };
}

/** A path as a parameter of the configuration. */
const quoted = (path: string) =>
  /^[\w./:-]+$/.test(path) ? path : `"${path.replace(/["\\]/g, "\\$&")}"`;

const GENERATED = "# Generated from deploy/topology/proxy-config.ts by `./irontrack generate`.";

// Lines of the error log quote requests, and with them the secret paths of public links. What goes
// wrong with a request is in the access log; this one is for what goes wrong with the proxy.
const renderMain = ({ user, processCount, directory }: Place) => `${GENERATED}
${user === undefined ? "" : `user ${user};\n`}worker_processes ${processCount};
pid ${quoted(`${directory}/pid`)};
error_log stderr alert;
`;

const renderHttp = (place: Place) => `${GENERATED}
upstream irontrack {
  zone irontrack 256k;
  least_conn;
  # max_fails=0: else a worker that hangs up on three odd requests gets no others for ten seconds.
${place.workerSockets.map((path) => `  server ${quoted(path.startsWith("/") ? `unix:${path}` : path)} max_fails=0;`).join("\n")}
  keepalive 64;
  # Shorter than a worker lingers when it stops (DRAIN_LINGER_S), and than Bun keeps an idle connection.
  keepalive_timeout 5s;
  keepalive_requests 100000;
}

# What limits are counted by; an empty one is not limited.
map "" $limited_address {
  default ${place.variant === "bench" ? '""' : "$binary_remote_addr"};
}

access_log ${quoted(place.accessLog)} edge buffer=32k flush=1s;
${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${quoted(`${place.directory}/${kind}`)};`).join("\n")}
${place.listen.tls ? `\n# Any other name: no certificate is shown, and nothing is answered but 421.\n${renderUnknownNames(place)}` : ""}${place.program === "angie" ? `\nserver {\n  listen ${quoted(`unix:${place.directory}/status.sock`)};\n  include snippets/angie-only.conf;\n}\n` : ""}`;

const renderUnknownNames = (place: Place) => `server {
${listenTls(place, " default_server")
  .map((line) => `  ${line}`)
  .join("\n")}
  ssl_reject_handshake on;
  include snippets/headers.conf;
  include snippets/problem-page.conf;
  error_page 400 414 494 495 496 497 /;
  error_page 421 /.problem;
  location / {
    # A browser uses one connection of HTTP/2 for all names of a certificate; so told, it asks again on another.
    if ($server_protocol ~ "^HTTP/[23]") {
      return 421;
    }
    return 444;
  }
}
`;

function renderServer(place: Place): string {
  const { unix, plain = [], tls } = place.listen;
  const lines = plain.map((address) => `listen ${address};`);
  if (unix !== undefined)
    lines.push(
      `listen ${quoted(`unix:${unix}`)};`,
      "set_real_ip_from unix:;",
      "real_ip_header X-Real-IP;",
    );
  if (tls) {
    lines.push(
      ...listenTls(place),
      `server_name ${place.names.join(" ")};`,
      `ssl_certificate ${quoted(place.certificate.file)};`,
      `ssl_certificate_key ${quoted(place.certificate.keyFile)};`,
    );
  }
  return `${GENERATED}\n${lines.join("\n")}\n`;
}

/** nginx learned `http2 on` in 1.25, and Angie has it; Debian's knows the older way only. */
function listenTls({ program, listen }: Place, suffix = ""): string[] {
  const isOld = program === "nginx";
  const lines = (listen.tls ?? []).map(
    (address) => `listen ${address} ssl${isOld ? " http2" : ""}${suffix};`,
  );
  return isOld ? lines : [...lines, "http2 on;"];
}
