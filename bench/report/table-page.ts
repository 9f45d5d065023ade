import { meanText } from "../figures/format.ts";
import { columnLabel, type TableResult, type TableRow, tablesOf } from "../figures/table.ts";
import { escaped, table } from "./html.ts";
import { commandText, machineHtml } from "./machine.ts";
import { documentHtml } from "./page.ts";
import { figureHtml } from "./plots/figure.ts";
import { meansDrawing } from "./plots/means.ts";

/** The self-contained page of a suite without load: statements, parts of a request, the disk. */
export function tablePage({ suite, host, profile, about, rows, doubts }: TableResult): string {
  const isValid = doubts.length === 0;
  const [verdict, reason] = isValid
    ? ["Valid.", "There are no validity warnings."]
    : ["Not valid:", doubts.join("; ")];
  const command = commandText(host);
  return documentHtml(
    `IronTrack: ${suite}, ${host.commit}`,
    `<h1>IronTrack: ${escaped(suite)}</h1>
<p class="dim lead">commit ${escaped(host.commit)}, disk profile ${escaped(profile)}, ${host.at.slice(0, 10)}</p>
<div class="verdict ${isValid ? "good" : "bad"}"><p><strong>${verdict}</strong> ${escaped(reason ?? "")}</p></div>
<p>${escaped(about)}</p>
${tablesOf(rows).map(sectionOf).join("\n")}
<h2>Environment</h2>${machineHtml(host)}
<h2>Not measured</h2>
<p>The other components in the path of a request; other machines: times are never converted.</p>
${command ? `<h2>Reproduce</h2><pre>${escaped(command)}</pre>` : ""}`,
  );
}

/** Scenarios with the same columns: a plot of the first column and a table of all. */
function sectionOf(rows: TableRow[]): string {
  const columns = Object.keys(rows[0]?.figures ?? {});
  const first = columns[0] ?? "";
  const label = columnLabel(first);
  const alternative = `${label}: ${rows
    .map(({ scenario, figures }) => `${scenario} ${meanText(figures[first])}`)
    .join("; ")}.`;
  const cells = rows.map(({ scenario, figures }) => [
    scenario,
    ...columns.map((column) => meanText(figures[column])),
  ]);
  return `${figureHtml({ caption: `${label}, with its 95 % interval over runs`, alternative }, meansDrawing(rows, first, label))}
${table("Mean of the runs ± half of the 95 % interval", ["", ...columns.map(columnLabel)], cells)}`;
}
