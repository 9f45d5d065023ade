import { explainedShare } from "../measure/attribution.ts";
import type { RunResult } from "../measure/run-http.ts";
import { escaped, percent } from "./html.ts";

/** Whether a run may be believed, in a sentence, and why not. */
export function verdictText({ results, disk }: RunResult): string {
  if (disk.doubts.length > 0) return `Void: ${disk.doubts.join("; ")}.`;
  const doubtful = results.filter(({ doubts }) => doubts.length > 0);
  if (doubtful.length === 0) {
    return "Every run may be believed: nothing failed, requests were sent on time, the rate was reached, nobody disturbed the server.";
  }
  return `Not to be believed: ${doubtful.map(({ operation, doubts }) => `${operation} (${doubts.join(", ")})`).join("; ")}.`;
}

/** The same as a strip on top of a page, with a mark for each operation. */
export function verdictHtml(run: RunResult): string {
  const { results, disk } = run;
  const doubtful = results.filter(({ doubts }) => doubts.length > 0);
  const isGood = disk.doubts.length === 0 && doubtful.length === 0;
  const [word, ...rest] = isGood
    ? [
        "Valid.",
        "Nothing failed, requests were sent on time, the rate was reached, nobody disturbed the server.",
      ]
    : disk.doubts.length > 0
      ? ["Void.", `The disk was not as its profile says: ${disk.doubts.join("; ")}.`]
      : [
          "Not to be believed",
          `for ${doubtful.length} of ${results.length} operations; the figures are shown as they are.`,
        ];
  const reasons = doubtful.map(
    ({ operation, doubts }) => `<li>${escaped(operation)}: ${escaped(doubts.join("; "))}</li>`,
  );
  const chips = results.map(({ operation, doubts, attribution }) => {
    const [kind, mark] = doubts.length === 0 ? ["good", "✓"] : ["bad", "✗"];
    return `<li><span class="${kind}">${mark}</span> ${escaped(operation)}, ${percent(explainedShare(attribution))} explained</li>`;
  });
  return `<div class="verdict ${isGood ? "good" : "bad"}"><p><strong>${word}</strong> ${escaped(rest.join(" "))}</p>
${reasons.length > 0 ? `<ul>${reasons.join("")}</ul>` : ""}<ul class="chips">${chips.join("")}</ul></div>`;
}
