/** The program that reads the configuration; nginx replaces Angie where that is not installed. */
export type ProxyProgram = "angie" | "nginx";
/** `bench` has no limits. */
export type ProxyVariant = "production" | "bench";

/** What differs between places in the configuration of the proxy; `angie/` has what does not. */
export type Place = {
  program: ProxyProgram;
  variant: ProxyVariant;
  /** The socket of each worker, or, for benches, its address and port. */
  workerSockets: string[];
  /** An existing directory for its pid, temporary files and the socket of the status API. */
  directory: string;
  accessLog: string;
  /** The user of its processes; undefined unless it is started as root. */
  user?: string;
  processCount: number | "auto";
  /** Addresses in the syntax of `listen`. On a Unix socket, X-Real-IP is trusted. */
  listen: { unix?: string; plain?: string[]; tls?: string[] };
  /** The host names of TLS; a handshake for any other name is rejected. */
  names: string[];
  certificate: { file: string; keyFile: string };
};

/** The place of compose.yaml and the systemd units. */
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

/** The contents of the files in `angie/place/`. */
export function renderPlace(
  place: Place,
): Record<"main.conf" | "http.conf" | "server.conf", string> {
  return {
    "main.conf": renderMain(place),
    "http.conf": renderHttp(place),
    "server.conf": renderServer(place),
  };
}

/** A path, quoted if the configuration needs it. */
const quoted = (path: string) =>
  /^[\w./:-]+$/.test(path) ? path : `"${path.replace(/["\\]/g, "\\$&")}"`;

const GENERATED = "# Generated from deploy/topology/proxy-config.ts by `./irontrack generate`.";

// The error log quotes requests, and so the secret paths of public links. It is therefore limited to
// faults of the proxy; faults of requests are in the access log.
const renderMain = ({ user, processCount, directory }: Place) => `${GENERATED}
${user === undefined ? "" : `user ${user};\n`}worker_processes ${processCount};
pid ${quoted(`${directory}/pid`)};
error_log stderr alert;
`;

const renderHttp = (place: Place) => `${GENERATED}
upstream irontrack {
  zone irontrack 256k;
  least_conn;
  # max_fails=0: otherwise a worker that closes three connections gets no requests for 10 s.
${place.workerSockets.map((path) => `  server ${quoted(path.startsWith("/") ? `unix:${path}` : path)} max_fails=0;`).join("\n")}
  keepalive 64;
  # Shorter than DRAIN_LINGER_S of a stopping worker and than Bun's idle timeout.
  keepalive_timeout 5s;
  keepalive_requests 100000;
}

# The key of the rate limits; requests with an empty key are not limited.
map "" $limited_address {
  default ${place.variant === "bench" ? '""' : "$binary_remote_addr"};
}

access_log ${quoted(place.accessLog)} edge buffer=32k flush=1s;
${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${quoted(`${place.directory}/${kind}`)};`).join("\n")}
${place.listen.tls ? `\n# Unknown host names: the TLS handshake is rejected; other requests get 421.\n${renderUnknownNames(place)}` : ""}${place.program === "angie" ? `\nserver {\n  listen ${quoted(`unix:${place.directory}/status.sock`)};\n  include snippets/angie-only.conf;\n}\n` : ""}`;

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
    # Browsers reuse an HTTP/2 connection for all names of a certificate; after 421 they reconnect.
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

/** Angie, and nginx since 1.25, have `http2 on`; the nginx of Debian has only the older syntax. */
function listenTls({ program, listen }: Place, suffix = ""): string[] {
  const isOld = program === "nginx";
  const lines = (listen.tls ?? []).map(
    (address) => `listen ${address} ssl${isOld ? " http2" : ""}${suffix};`,
  );
  return isOld ? lines : [...lines, "http2 on;"];
}
