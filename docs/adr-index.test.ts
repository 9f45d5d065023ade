import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dir, "adr");
const read = (file: string) => readFileSync(join(FOLDER, file), "utf8");
const records = readdirSync(FOLDER)
  .filter((file) => /^\d{4}-[\w-]+\.md$/.test(file))
  .sort();
const HEAD = /^# (\d+)\. (.+)\n\n- \*\*Status\*\*: (.+)\n- \*\*Date\*\*: (\d{4}-\d\d-\d\d)\n/;
const index: string[] = read("README.md").match(/^\| \d.*/gm) ?? [];

test("every decision record has the number of its file, a title, a status and a date", () => {
  const malformed = records.filter(
    (file) => Number(HEAD.exec(read(file))?.[1]) !== Number(file.slice(0, 4)),
  );
  expect(malformed).toEqual([]);
});

test("every decision record has a context, a decision and consequences, in this order", () => {
  const incomplete = records.filter((file) => {
    const sections = [...read(file).matchAll(/^## (Context|Decision|Consequences)$/gm)];
    return sections.map(([, name]) => name).join() !== "Context,Decision,Consequences";
  });
  expect(incomplete).toEqual([]);
});

test("the index of decisions lists every record in order, with its status and date", () => {
  const rows = records.map((file) => {
    const [, number, title, status, date] = HEAD.exec(read(file)) ?? [];
    return `| ${number} | [${title}](${file}) | ${status} | ${date} |`;
  });
  expect(index).toEqual(rows);
});

test("a link in a status shows the number of the record that it leads to", () => {
  const wrong = records.flatMap((file) =>
    [...(HEAD.exec(read(file))?.[3] ?? "").matchAll(/\[(\d+)\]\((\d{4})-/g)]
      .filter(([, number, target]) => Number(number) !== Number(target))
      .map(([link]) => `${file}: ${link}`),
  );
  expect(wrong).toEqual([]);
});
