import { expect, test } from "bun:test";
import { KERNEL_NAMES, runKernels } from "../measure/kernels.ts";
import { hostId } from "./host-facts.ts";
import { checkHost, listHosts, REFERENCE_HOST, readHost } from "./hosts.ts";

test("every host's file is valid, and the reference machine has one", () => {
  const ids = listHosts();
  expect(ids).toContain(REFERENCE_HOST);
  for (const id of ids) expect(readHost(id).id).toBe(id);
});

test("the reference machine's file has the parameters of the emulated disks and the pins", () => {
  const { disk, pins } = readHost("fx8320");
  expect(disk.parameters?.rpm).toBe(7200);
  expect(Object.values(pins ?? {}).flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("the reference machine's file lists what its owner has to measure", () => {
  const { calibration } = readHost(REFERENCE_HOST);
  expect(Object.keys(calibration.kernels)).toEqual(KERNEL_NAMES);
});

test("kernels run, and their minimum is at most their median", () => {
  for (const { minMs, medianMs } of Object.values(
    runKernels(() => {}, ["ed25519Sign", "json"], 3),
  )) {
    expect(minMs).toBeGreaterThan(0);
    expect(medianMs).toBeGreaterThanOrEqual(minMs);
  }
});

test("a machine's id is stable and a valid file name", () => {
  expect(hostId("/tmp")).toBe(hostId("/tmp"));
  expect(hostId("/tmp")).toMatch(/^[a-z0-9][a-z0-9-]*$/);
});

test("an invalid file is refused with the field's name, and an unknown one with the known names", () => {
  const host = readHost(REFERENCE_HOST);
  const slow = { ...host, disk: { ...host.disk, parameters: { ...host.disk.parameters, rpm: 5 } } };
  expect(() => checkHost(slow, REFERENCE_HOST)).toThrow(/disk/);
  expect(() => checkHost(host, "another")).toThrow("has the id fx8320-hdd");
  expect(() => readHost("no-such-host")).toThrow("there are");
});
