/**
 * The path of a request's URL as it was sent, without its query. A fragment, which no ordinary
 * client sends, stays part of the path, as it does in Bun's and Elysia's routers.
 */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const end = url.indexOf("?", start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}
