import { expect, test } from "bun:test";
import { KERNEL_NAMES, runKernels } from "../measure/kernels.ts";
import { hostId } from "./host-facts.ts";
import { checkHost, listHosts, REFERENCE_HOST, readHost } from "./hosts.ts";

test("every host's file is valid, and the reference machine has one", () => {
  const ids = listHosts();
  expect(ids).toContain(REFERENCE_HOST);
  for (const id of ids) expect(readHost(id).id).toBe(id);
});

test("the reference machine's file has what the emulated disks and the pins need", () => {
  const { disk, pins } = readHost("fx8320");
  expect(disk.parameters?.rpm).toBe(7200);
  expect(Object.values(pins ?? {}).flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("what the reference machine's owner has to measure is listed there", () => {
  const { calibration } = readHost(REFERENCE_HOST);
  expect(Object.keys(calibration.kernels)).toEqual(KERNEL_NAMES);
});

test("kernels do their work, and their least is at most their middle", () => {
  for (const { minMs, medianMs } of Object.values(
    runKernels(() => {}, ["ed25519Sign", "json"], 3),
  )) {
    expect(minMs).toBeGreaterThan(0);
    expect(medianMs).toBeGreaterThanOrEqual(minMs);
  }
});

test("a machine's id is the same each time, and is a file's name", () => {
  expect(hostId("/tmp")).toBe(hostId("/tmp"));
  expect(hostId("/tmp")).toMatch(/^[a-z0-9][a-z0-9-]*$/);
});

test("a file with a fault is refused by the name of the field, and one that is not there by the names of those that are", () => {
  const host = readHost(REFERENCE_HOST);
  const slow = { ...host, disk: { ...host.disk, parameters: { ...host.disk.parameters, rpm: 5 } } };
  expect(() => checkHost(slow, REFERENCE_HOST)).toThrow(/disk/);
  expect(() => checkHost(host, "another")).toThrow("is of fx8320-hdd");
  expect(() => readHost("no-such-host")).toThrow("there are");
});
