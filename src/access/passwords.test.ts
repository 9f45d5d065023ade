import { expect, test } from "bun:test";
import { hash } from "@node-rs/argon2";
import { testConfig } from "#test/config.ts";
import { createPasswords } from "./passwords.ts";

test("an unknown address gets the same answer as a wrong password, even after hashing has failed once", async () => {
  let failures = 1;
  const passwords = createPasswords(testConfig(), async (...args) => {
    if (failures-- > 0) throw new Error("no memory");
    return await hash(...args);
  });
  await expect(passwords.matches("a guess", undefined)).rejects.toThrow("no memory");
  expect(await passwords.matches("a guess", undefined)).toBe(false);
  expect(await passwords.matches("a guess", undefined)).toBe(false);
});
