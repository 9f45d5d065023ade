import { BlockList, isIP } from "node:net";

const addresses = new BlockList();
addresses.addSubnet("127.0.0.0", 8, "ipv4");
addresses.addAddress("::1", "ipv6");

/** Whether only this machine reaches `host`: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version === 0
    ? host.toLowerCase() === "localhost"
    : addresses.check(host, version === 4 ? "ipv4" : "ipv6");
}

/**
 * Exempts loopback addresses from the proxy that `env` names: a proxy cannot reach what listens on
 * this machine's.
 */
export function bypassProxyForLoopback(env: Record<string, string | undefined>): void {
  const given = env.NO_PROXY || env.no_proxy;
  const exempt = [...(given ? [given] : []), "localhost", "127.0.0.1", "::1", "[::1]"].join(",");
  env.NO_PROXY = exempt;
  env.no_proxy = exempt;
}
