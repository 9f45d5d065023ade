import { percent } from "../figures/format.ts";
import { explainedShare } from "../measure/attribution.ts";
import type { RunResult } from "../measure/run-http.ts";
import { escaped } from "./html.ts";

const CONDITIONS =
  "no request failed, requests were sent on time, the rate was achieved and the server was undisturbed";

/** One sentence that says whether a run is valid, or why not. */
export function verdictText({ results, disk }: RunResult): string {
  if (disk.doubts.length > 0) return `Void: ${disk.doubts.join("; ")}.`;
  const invalid = results.filter(({ doubts }) => doubts.length > 0);
  if (invalid.length === 0) {
    return `Valid: ${CONDITIONS}.`;
  }
  return `Not valid: ${invalid.map(({ operation, doubts }) => `${operation} (${doubts.join(", ")})`).join("; ")}.`;
}

/** The same as HTML, with a mark for each operation. */
export function verdictHtml(run: RunResult): string {
  const { results, disk } = run;
  const invalid = results.filter(({ doubts }) => doubts.length > 0);
  const isValid = disk.doubts.length === 0 && invalid.length === 0;
  const [verdict, text] = isValid
    ? ["Valid:", `${CONDITIONS}.`]
    : disk.doubts.length > 0
      ? ["Void.", `The disk does not match its profile: ${disk.doubts.join("; ")}.`]
      : [
          "Not valid",
          `for ${invalid.length} of ${results.length} operations; their figures are shown with these validity warnings:`,
        ];
  const reasons = invalid.map(
    ({ operation, doubts }) => `<li>${escaped(operation)}: ${escaped(doubts.join("; "))}</li>`,
  );
  const chips = results.map(({ operation, doubts, attribution }) => {
    const [kind, mark] = doubts.length === 0 ? ["good", "✓"] : ["bad", "✗"];
    return `<li><span class="${kind}">${mark}</span> ${escaped(operation)}, ${percent(explainedShare(attribution))} explained</li>`;
  });
  return `<div class="verdict ${isValid ? "good" : "bad"}"><p><strong>${verdict}</strong> ${escaped(text ?? "")}</p>
${reasons.length > 0 ? `<ul>${reasons.join("")}</ul>` : ""}<ul class="chips">${chips.join("")}</ul></div>`;
}
