import {
  columnLabel,
  meanText,
  type TableResult,
  type TableRow,
  tablesOf,
} from "../figures/table.ts";
import { escaped, table } from "./html.ts";
import { commandText, machineHtml } from "./machine.ts";
import { documentHtml } from "./page.ts";
import { figureHtml } from "./plots/figure.ts";
import { meansDrawing } from "./plots/means.ts";

/**
 * The page of what is not requests over time: statements, parts of a request, the disk. It needs
 * nothing else.
 */
export function tablePage({ suite, host, profile, about, rows, doubts }: TableResult): string {
  const isGood = doubts.length === 0;
  const [word, why] = isGood
    ? ["Valid.", "Nothing speaks against it."]
    : ["Not to be believed:", doubts.join("; ")];
  const command = commandText(host);
  return documentHtml(
    `IronTrack: ${suite}, ${host.commit}`,
    `<h1>IronTrack: ${escaped(suite)}</h1>
<p class="dim lead">commit ${escaped(host.commit)}, disk profile ${escaped(profile)}, ${host.at.slice(0, 10)}</p>
<div class="verdict ${isGood ? "good" : "bad"}"><p><strong>${word}</strong> ${escaped(why ?? "")}</p></div>
<p>${escaped(about)}</p>
${tablesOf(rows).map(sectionOf).join("\n")}
<h2>On what</h2>${machineHtml(host)}
<h2>Not measured here</h2>
<p>Anything else in the path of a request than what is named; another machine than this one: times are never converted.</p>
${command ? `<h2>To see it again</h2><pre>${escaped(command)}</pre>` : ""}`,
  );
}

/** Scenarios with the same figures: the first figure drawn, all of them as a table. */
function sectionOf(rows: TableRow[]): string {
  const columns = Object.keys(rows[0]?.figures ?? {});
  const first = columns[0] ?? "";
  const label = columnLabel(first);
  const words = rows
    .map(({ scenario, figures }) => `${scenario} ${meanText(figures[first])}`)
    .join("; ");
  const cells = rows.map(({ scenario, figures }) => [
    scenario,
    ...columns.map((column) => meanText(figures[column])),
  ]);
  return `${figureHtml({ caption: `${label}, with its 95 % interval over runs`, alternative: `${label}: ${words}.` }, meansDrawing(rows, first, label))}
${table("The mean of runs ± half of its 95 % interval", ["", ...columns.map(columnLabel)], cells)}`;
}
