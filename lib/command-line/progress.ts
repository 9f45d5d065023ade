/**
 * Says what is going on: on a terminal one line that is replaced, elsewhere a line each. On stderr,
 * as it is no result.
 */
export function createProgress(stream: NodeJS.WriteStream = process.stderr) {
  const clear = stream.isTTY ? "\r\u001b[2K" : "";
  return {
    step: (what: string) => void stream.write(stream.isTTY ? `${clear}… ${what}` : `${what}\n`),
    done: () => void (stream.isTTY && stream.write(clear)),
  };
}
