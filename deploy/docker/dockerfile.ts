import { DockerfileParser } from "dockerfile-ast";
import { validate } from "dockerfile-utils";

export type Instruction = { keyword: string; words: string[]; text: string };
export type Stage = { name: string; from: string; instructions: Instruction[] };

/** The stages of a Dockerfile in order; an unnamed stage has the name "". */
export function readStages(source: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(source).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getExpandedArguments().map((argument) => argument.getValue());
    if (keyword === "FROM")
      stages.push({ name: words[2] ?? "", from: words[0] ?? "", instructions: [] });
    else
      stages.at(-1)?.instructions.push({
        keyword,
        words,
        text: textOf(instruction.getRawArgumentsContent() ?? ""),
      });
  }
  return stages;
}

/** Joins continued lines, as a shell does. */
const textOf = (raw: string) => raw.replaceAll(/\\\n/g, "");

/**
 * Syntax that Docker Engine 20.10 (Debian 12) does not support, because it builds without BuildKit.
 */
const NEWER =
  /(?<=\s)--(start-interval|mount|link|chmod|parents|exclude|network|security)\b|<<-?["']?[A-Z]+/;

/** The faults of a Dockerfile by a linter and by our rules. */
export function faultsOfDockerfile(source: string): string[] {
  const lintFaults = validate(source).map(
    ({ message, range }) => `line ${range.start.line + 1}: ${message}`,
  );
  const stages = readStages(source);
  const known = new Set(stages.map(({ name }) => name));
  const faults = stages.flatMap(({ name, from, instructions }) => {
    const has = (keyword: string) =>
      instructions.some((instruction) => instruction.keyword === keyword);
    const runs = has("ENTRYPOINT");
    const user = instructions.findLast(({ keyword }) => keyword === "USER")?.words[0] ?? "root";
    return [
      name === "" && `the stage from ${from} has no name`,
      !known.has(from) &&
        from !== "scratch" &&
        !/:\d+\.\d+[\w.-]*$|@sha256:/.test(from) &&
        `${from} has no exact version`,
      has("ADD") && `${name} uses ADD, which fetches and unpacks: use COPY`,
      runs && !/^[1-9]\d*:[1-9]\d*$/.test(user) && `${name} runs as ${user}`,
      runs && !has("HEALTHCHECK") && `${name} has no health check`,
      instructions.some(
        ({ keyword, text }) => ["ENTRYPOINT", "CMD"].includes(keyword) && !text.startsWith("["),
      ) && `${name} is started through a shell`,
      instructions.some(
        ({ keyword, text }) =>
          ["ENV", "ARG"].includes(keyword) && /PASSWORD|SECRET|TOKEN|_KEYS?=/.test(text),
      ) && `${name} contains a secret`,
    ].filter((fault) => fault !== false);
  });
  const newer = source
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => NEWER.exec(line)?.[0])
    .filter((flag) => flag !== undefined);
  return [
    ...lintFaults,
    ...faults,
    ...newer.map((flag) => `Docker 20.10 does not support ${flag}`),
  ];
}
