/**
 * Prints the current step of a command to stderr: on a terminal in one line that is replaced,
 * otherwise one line per step.
 */
export function createProgress(stream: NodeJS.WriteStream = process.stderr) {
  const clear = stream.isTTY ? "\r\u001b[2K" : "";
  return {
    step: (name: string) => void stream.write(stream.isTTY ? `${clear}… ${name}` : `${name}\n`),
    done: () => void (stream.isTTY && stream.write(clear)),
  };
}
