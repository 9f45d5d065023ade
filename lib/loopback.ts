import { BlockList, isIP } from "node:net";

const addresses = new BlockList();
addresses.addSubnet("127.0.0.0", 8, "ipv4");
addresses.addAddress("::1", "ipv6");

/** Whether `host` is reachable from this machine only: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version === 0
    ? host.toLowerCase() === "localhost"
    : addresses.check(host, version === 4 ? "ipv4" : "ipv6");
}

/** Exempts loopback addresses from the proxy in `env`, which cannot reach them. */
export function bypassProxyForLoopback(env: Record<string, string | undefined>): void {
  const configured = env.NO_PROXY || env.no_proxy;
  const exempt = [
    ...(configured ? [configured] : []),
    "localhost",
    "127.0.0.1",
    "::1",
    "[::1]",
  ].join(",");
  env.NO_PROXY = exempt;
  env.no_proxy = exempt;
}
