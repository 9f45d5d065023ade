import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { BLOCK_PACKAGES } from "../disk/block.ts";
import { hostId } from "../hosts/host-facts.ts";
import { hasHost } from "../hosts/hosts.ts";

/**
 * One thing that a measurement needs: whether it is here, what is lost without it, and how to have
 * it.
 */
export type Need = { what: string; isHere: boolean; without: string; remedy: string };

const readText = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim() : "");

/** What this host can and cannot measure. */
export function listNeeds(): Need[] {
  const on = (program: string) => Bun.which(program) !== null;
  return [
    {
      what: "Linux with /proc",
      isHere: existsSync("/proc/self/schedstat"),
      without: "no CPU times: nothing but latencies is measured",
      remedy: "measure on Linux",
    },
    {
      what: "two cores",
      isHere: availableParallelism() >= 2,
      without: "server, database and load disturb one another",
      remedy: "use a machine with two cores or more",
    },
    {
      what: "taskset",
      isHere: on("taskset"),
      without: "processes wander between cores",
      remedy: "install util-linux",
    },
    {
      what: "root",
      isHere: process.getuid?.() === 0,
      without: "the load does not go before PostgreSQL on its core, and is sent later",
      remedy: "run as root, or where there are three cores",
    },
    {
      what: "a C compiler",
      isHere: on("cc"),
      without: "no emulated disk, and flushes are not counted: no counts, smoke and run",
      remedy: "install gcc",
    },
    {
      what: "nbdkit with its headers, nbdfuse",
      isHere: on("nbdkit") && on("nbdfuse") && existsSync("/usr/include/nbdkit-plugin.h"),
      without: "no profile hdd-block: the kernel's figures are not of an emulated disk",
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
      without: "its figures have no machine to belong to",
      remedy: "./irontrack bench calibrate",
    },
    {
      what: "pgbench",
      isHere: on("pgbench"),
      without: "catalog and training have no rival",
      remedy: "install postgresql-client and postgresql-contrib",
    },
    {
      what: "block I/O delay of processes",
      isHere: readText("/proc/sys/kernel/task_delayacct") === "1",
      without:
        "the kernel does not say how long processes waited for the disk; the emulated disk does in any case",
      remedy: "sysctl kernel.task_delayacct=1",
    },
    {
      what: "pressure stall information",
      isHere: existsSync("/proc/pressure/io"),
      without: "a busy neighbour is seen by late requests only",
      remedy: "boot with psi=1",
    },
  ];
}
