import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { deviceOf, parseDiskstats, parsePressure, parseProcStat, readMachine } from "./machine.ts";
import { parseMetrics } from "./metrics-text.ts";
import {
  createProcessGroup,
  parseSchedstat,
  parseStat,
  parseSwitches,
  readProcess,
} from "./processes.ts";
import { waitClassOf } from "./waits.ts";

test("schedstat gives a thread's CPU time and run-queue wait", () => {
  expect(parseSchedstat("439764 1249223 2\n")).toEqual({ cpuMs: 0.439764, runQueueMs: 1.249223 });
  expect(parseSchedstat("")).toBeUndefined();
});

test("fields of /proc/PID/stat are parsed after a name with spaces and parentheses", () => {
  const before =
    "26577 (a) b (c) R 24647 24647 6550 0 -1 4194304 101 0 0 0 12 3 0 0 20 0 1 0 267758 3133440 415";
  const zeros = Array.from({ length: 17 }, () => "0").join(" ");
  expect(parseStat(`${before} ${zeros} 94 0 0 0`)).toEqual({
    totalCpuMs: 150,
    blockIoMs: 940,
    residentMib: (415 * 4096) / 2 ** 20,
  });
});

test("voluntary context switches are distinguished from preemptions", () => {
  const status = "Name:\tpostgres\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t6\n";
  expect(parseSwitches(status)).toEqual({ wakes: 150, preemptions: 6 });
});

test("pressure is parsed in ms, and null if the kernel reports none", () => {
  const io =
    "some avg10=31.57 avg60=18.27 avg300=7.79 total=80105375\nfull avg10=0.18 avg60=1.09 avg300=0.74 total=11306271\n";
  expect(parsePressure(io)).toEqual({ someMs: 80105.375, fullMs: 11306.271 });
  expect(parsePressure("")).toBeNull();
});

test("a device's flushes are parsed if the kernel counts them, and devices are distinguished", () => {
  const stats = ` 254       0 vda 130664 15659 5779514 68877 252612 145328 26591432 154839 0 36488 238585 90534 36 15484064 10331 105972 4537
 254       1 vda1 1 0 8 2 3 0 24 4 0 5 6
`;
  expect(parseDiskstats(stats, "vda")).toEqual({
    reads: 130664,
    readMs: 68877,
    writes: 252612,
    writeMs: 154839,
    busyMs: 36488,
    flushes: 105972,
    flushMs: 4537,
  });
  expect(parseDiskstats(stats, "vda1")).toMatchObject({
    reads: 1,
    busyMs: 5,
    flushes: null,
    flushMs: null,
  });
  expect(parseDiskstats(stats, "vdb")).toBeNull();
});

test("iowait and steal are the fifth and eighth of the first line of /proc/stat", () => {
  const stat = "cpu  100 2 30 4000 55 6 7 88 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nctxt 123456\n";
  expect(parseProcStat(stat)).toEqual({ ioWaitMs: 550, stealMs: 880, contextSwitches: 123456 });
});

test("counters are added up over their labels, without buckets, and quantiles are kept apart", () => {
  const text = `# HELP irontrack_pool_wait_seconds Waiting for a connection
# TYPE irontrack_pool_wait_seconds histogram
irontrack_pool_wait_seconds_bucket{pool="main",le="0.001"} 9
irontrack_pool_wait_seconds_sum{pool="main"} 0.25
irontrack_pool_wait_seconds_sum{pool="direct"} 1.5e-1
irontrack_pool_wait_seconds_count{pool="main"} 10
# TYPE irontrack_event_loop_delay_seconds gauge
irontrack_event_loop_delay_seconds{quantile="0.5"} 0.001
irontrack_event_loop_delay_seconds{quantile="1"} 0.02
# TYPE irontrack_heap_bytes gauge
irontrack_heap_bytes 1000
irontrack_strange NaN
`;
  expect(parseMetrics(text)).toEqual({
    irontrack_pool_wait_seconds_sum: 0.4,
    irontrack_pool_wait_seconds_count: 10,
    'irontrack_event_loop_delay_seconds{quantile="0.5"}': 0.001,
    'irontrack_event_loop_delay_seconds{quantile="1"}': 0.02,
    irontrack_heap_bytes: 1000,
  });
});

test("waiting for another's flush is the disk's, and other lightweight locks are locks", () => {
  expect(waitClassOf("IO", "WalSync")).toBe("disk");
  expect(waitClassOf("LWLock", "WALWrite")).toBe("diskOfOthers");
  expect(waitClassOf("LWLock", "WALInsert")).toBe("lock");
  expect(waitClassOf("Lock", "tuple")).toBe("lock");
  expect(waitClassOf("", "")).toBe("cpu");
});

test("this process, its machine and its disk can be read", () => {
  const usage = readProcess(process.pid, "threads");
  expect(usage?.main.cpuMs).toBeGreaterThan(0);
  expect(usage?.residentMib).toBeGreaterThan(1);
  const { pressure, contextSwitches } = readMachine(deviceOf(import.meta.dir));
  expect(contextSwitches).toBeGreaterThan(0);
  expect(pressure.cpu === null || pressure.cpu.someMs >= 0).toBe(true);
  expect(availableParallelism()).toBeGreaterThan(0);
});

test("the usage of a process still counts after it has ended", async () => {
  const group = createProcessGroup("process");
  const child = Bun.spawn(
    ["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; read line"],
    {
      stdin: "pipe",
    },
  );
  let { main } = group([child.pid]);
  for (; main.cpuMs === 0; { main } = group([child.pid])) await Bun.sleep(10);
  child.stdin.end();
  await child.exited;
  expect(main.cpuMs).toBeGreaterThan(0);
  expect(group([]).main.cpuMs).toBe(main.cpuMs);
});
