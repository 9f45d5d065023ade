// A server that responds immediately but stalls for 0.5 s in every 2.5 s. Without coordinated
// omission, a fifth of the requests are delayed, uniformly by 0 to 500 ms.
const STALL_MS = 500;
const PERIOD_MS = 2500;

Bun.serve({ unix: process.argv[2] ?? "", development: false, fetch: () => new Response("OK") });

const clock = new Int32Array(new SharedArrayBuffer(4));
let stallsAtMs = performance.now() + PERIOD_MS / 2;
function stall() {
  Atomics.wait(clock, 0, 0, stallsAtMs + STALL_MS - performance.now());
  stallsAtMs += PERIOD_MS;
  setTimeout(stall, stallsAtMs - performance.now());
}
setTimeout(stall, PERIOD_MS / 2);
process.on("SIGTERM", () => process.exit(0));
