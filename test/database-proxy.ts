import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy between an application and its database that simulates outages. */
export type DatabaseProxy = {
  url: string;
  /** Forwards everything. */
  connect(): void;
  /**
   * Closes all connections, and passes each new one to `answer`; without `answer`, nothing listens.
   */
  refuse(answer?: (socket: Socket) => void): Promise<void>;
  /** Keeps all connections and accepts new ones, but forwards nothing. */
  freeze(): void;
  /**
   * Never again forwards anything over current connections, as if the server's machine were lost;
   * new ones work.
   */
  strand(): void;
  stop(): Promise<void>;
};

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const url = new URL(databaseUrl);
  const directory = url.searchParams.get("host");
  const port = Number(url.searchParams.get("port") ?? (url.port || 5432));
  const target = directory?.startsWith("/")
    ? { path: `${directory}/.s.PGSQL.${port}` }
    : { host: url.hostname, port };
  const sockets = new Set<Socket>();
  const stranded = new Set<Socket>();
  let handle: ((socket: Socket) => void) | undefined;
  let isFrozen = false;

  const pass = (client: Socket) => {
    const server = connect(target);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => void to.write(bytes));
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      if (isFrozen) from.pause();
    }
  };
  const listener = createServer((socket) => {
    if (!handle) return pass(socket);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    handle(socket);
  });
  const listen = (at: number) =>
    new Promise<void>((done) => listener.listen(at, "127.0.0.1", done));
  await listen(0);
  const own = (listener.address() as { port: number }).port;
  url.searchParams.delete("host");
  url.searchParams.delete("port");
  url.hostname = "127.0.0.1";
  url.port = String(own);

  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    connect: () => {
      handle = undefined;
      isFrozen = false;
      for (const socket of sockets) if (!stranded.has(socket)) socket.resume();
      if (!listener.listening) void listen(own);
    },
    refuse: async (answer) => {
      handle = answer;
      if (!answer) await close(listener, endAll);
      endAll();
    },
    freeze: () => {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    strand: () => {
      for (const socket of sockets) stranded.add(socket.pause());
    },
    stop: () => close(listener, endAll),
  };
}

const close = (listener: Server, endAll: () => void) =>
  new Promise<void>((done) => {
    listener.close(() => done());
    endAll();
  });
