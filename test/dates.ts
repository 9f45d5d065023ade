import { AppError } from "#lib/errors.ts";
import { type DateOptions, detectDates } from "#src/imports/dates.rules.ts";

/** The dates as local times, null for invalid ones, as rows of a file from its second line on. */
export async function readDates(
  texts: string[],
  options: DateOptions = {},
): Promise<(string | null)[]> {
  const rows = new Map(texts.map((text, index) => [text, index + 2]));
  const dates = await detectDates(rows, options, async () => {});
  return texts.map((text) => (dates.read(text) ?? dates.read(text, true))?.toString() ?? null);
}

/** The result of `readDates`, or the code and message with which the file is refused. */
export async function readOrRefusal(texts: string[], options: DateOptions = {}) {
  try {
    return await readDates(texts, options);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [error.reason, error.message];
  }
}
