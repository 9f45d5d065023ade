/**
 * A name as it stands in a URL: lower case, transliterated to ASCII, everything else a single hyphen; never empty.
 * A name with no letter or digit that ASCII can show is spelt by its code points (`u4e0a-…`).
 */
export function slugOf(name: string): string {
  const ascii = transliterate(name);
  const slug = hyphenate(ascii);
  if (slug !== "") return slug.slice(0, 100).replace(/-+$/, "");
  return hyphenate([...name.trim()].map((character) => `u${character.codePointAt(0)?.toString(16)}`).join("-")).slice(
    0,
    100,
  );
}

const hyphenate = (text: string) => text.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");

/** Letters that do not decompose into an ASCII letter and marks. */
const LETTERS: Record<string, string> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ı: "i" };

const transliterate = (text: string) =>
  text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[ßæœøđðþłı]/g, (letter) => LETTERS[letter] ?? "");
