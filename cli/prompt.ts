import { createInterface } from "node:readline";
import { OperatorError } from "#lib/errors.ts";

const MAX_PASSWORD_LENGTH = 128;

/**
 * Reads a new password: with `fromStdin` the first line of standard input, else twice from the
 * terminal, without echo. Throws OperatorError if there is no terminal.
 */
export async function readNewPassword({ fromStdin }: { fromStdin: boolean }): Promise<string> {
  const password = fromStdin ? await readFirstLine() : await askTwice();
  if (password.length < 8 || password.length > MAX_PASSWORD_LENGTH) {
    throw new OperatorError(`A password has 8 to ${MAX_PASSWORD_LENGTH} characters`, 2);
  }
  return password;
}

/** Asks before something that cannot be undone, unless `yes`. Throws OperatorError if declined. */
export async function confirm(question: string, { yes }: { yes: boolean }): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new OperatorError(`${question} Say --yes where there is no terminal to ask on`, 2);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) =>
    terminal.question(`${question} [y/N] `, resolve),
  );
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new OperatorError("Nothing was changed");
}

async function readFirstLine(): Promise<string> {
  const [line = ""] = (await Bun.stdin.text()).split(/\r?\n/, 1);
  return line;
}

async function askTwice(): Promise<string> {
  if (!process.stdin.isTTY)
    throw new OperatorError("No terminal to ask for a password: use --password-stdin", 2);
  const first = await askHidden("Password: ");
  if ((await askHidden("Again: ")) !== first)
    throw new OperatorError("The two passwords differ", 2);
  return first;
}

/** Reads one line with the terminal's echo off. */
async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.resume();
  try {
    return await readHiddenLine();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

function readHiddenLine(): Promise<string> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    let line = "";
    const onData = (bytes: Buffer) => {
      for (const character of bytes.toString("utf8")) {
        if (character === "\r" || character === "\n") return finish(() => resolve(line));
        if (character === "\u0003")
          return finish(() => reject(new OperatorError("Nothing was changed")));
        line = character === "\u007f" ? line.slice(0, -1) : line + character;
      }
    };
    const finish = (done: () => void) => {
      stdin.off("data", onData);
      done();
    };
    stdin.on("data", onData);
  });
}
