import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { BLOCK_PACKAGES } from "../disk/block.ts";
import { hostId } from "../hosts/host-facts.ts";
import { hasHost } from "../hosts/hosts.ts";

/** A requirement of a measurement: whether it is met, what is lost without it, and the remedy. */
export type Need = { what: string; isHere: boolean; without: string; remedy: string };

const readText = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim() : "");

/** The requirements of all measurements, checked on this host. */
export function listNeeds(): Need[] {
  const hasProgram = (program: string) => Bun.which(program) !== null;
  return [
    {
      what: "Linux with /proc",
      isHere: existsSync("/proc/self/schedstat"),
      without: "no CPU times: only latency is measured",
      remedy: "measure on Linux",
    },
    {
      what: "two cores",
      isHere: availableParallelism() >= 2,
      without: "the server, the database and the load generator compete for one core",
      remedy: "use a machine with at least two cores",
    },
    {
      what: "taskset",
      isHere: hasProgram("taskset"),
      without: "processes migrate between cores",
      remedy: "install util-linux",
    },
    {
      what: "root",
      isHere: process.getuid?.() === 0,
      without:
        "the load generator gets no priority over PostgreSQL on a shared core, so it sends later",
      remedy: "run as root, or on a machine with three cores",
    },
    {
      what: "a C compiler",
      isHere: hasProgram("cc"),
      without: "no emulated disk and no count of flushes: counts, smoke and run do not work",
      remedy: "install gcc",
    },
    {
      what: "nbdkit with its headers, nbdfuse",
      isHere:
        hasProgram("nbdkit") && hasProgram("nbdfuse") && existsSync("/usr/include/nbdkit-plugin.h"),
      without: "no profile hdd-block: the kernel cannot account an emulated disk",
      remedy: `apt-get install ${BLOCK_PACKAGES}`,
    },
    {
      what: "FUSE",
      isHere: existsSync("/dev/fuse"),
      without: "no profile hdd-block",
      remedy: "modprobe fuse, or give /dev/fuse to the container",
    },
    {
      what: "loop devices",
      isHere: existsSync("/dev/loop-control"),
      without: "no profile hdd-block",
      remedy: "modprobe loop, or give /dev/loop-control to the container",
    },
    {
      what: "a calibration of this machine",
      isHere: hasHost(hostId(tmpdir())),
      without: "reports cannot show reference times of this machine",
      remedy: "./irontrack bench calibrate",
    },
    {
      what: "pgbench",
      isHere: hasProgram("pgbench"),
      without: "catalog, peers and training cannot compare with pgbench",
      remedy: "install postgresql-client and postgresql-contrib",
    },
    {
      what: "block I/O delay of processes",
      isHere: readText("/proc/sys/kernel/task_delayacct") === "1",
      without: "the kernel does not account disk waits; only the emulated disk measures them",
      remedy: "sysctl kernel.task_delayacct=1",
    },
    {
      what: "pressure stall information",
      isHere: existsSync("/proc/pressure/io"),
      without: "contention by other processes shows only as late requests",
      remedy: "boot with psi=1",
    },
  ];
}
