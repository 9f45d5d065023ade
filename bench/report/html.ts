/** Escapes text for HTML content and attributes. */
export const escaped = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

/** Text, or markup that is already escaped. */
export type Cell = string | { html: string };

/**
 * The first cell of a row is its header. A table wider than the page scrolls on its own, also by
 * keyboard.
 */
export function table(caption: string, head: string[], rows: Cell[][], kind = ""): string {
  const columns = head.map((name) => `<th scope="col">${escaped(name)}</th>`).join("");
  const body = rows.map(([name = "", ...cells]) => {
    const rest = cells.map((cell) => `<td>${markup(cell)}</td>`).join("");
    return `<tr><th scope="row">${markup(name)}</th>${rest}</tr>`;
  });
  return `<div class="scroll ${kind}" role="region" tabindex="0" aria-label="${escaped(caption)}"><table><caption>${escaped(caption)}</caption>
<thead><tr>${columns}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
}

/** Collapsed content. */
export const folded = (summary: string, html: string): string =>
  `<details><summary>${escaped(summary)}</summary>${html}</details>`;

const markup = (cell: Cell): string => (typeof cell === "string" ? escaped(cell) : cell.html);
