/**
 * The form of a name that is used in URLs: lower case, transliterated to ASCII, with a single
 * hyphen for anything that is not a letter or digit. Never empty, at most 100 characters. A name
 * without any such letter or digit is represented by its code points (`u4e0a-…`).
 */
export function slugOf(name: string): string {
  const slug = hyphenate(searchForm(name));
  return slug === "" ? hyphenate([...name.trim()].map(codePoint).join("-")) : slug;
}

const MAX_LENGTH = 100;
const codePoint = (character: string) => `u${character.codePointAt(0)?.toString(16)}`;

const hyphenate = (text: string) =>
  text
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, MAX_LENGTH)
    .replace(/-+$/, "");

/** Letters that do not decompose into an ASCII letter and marks. */
const LETTERS: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ı: "i",
};

/**
 * The form in which names are compared and searched: lower case, without accents, in ASCII letters
 * where possible.
 */
export const searchForm = (text: string): string =>
  text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[ßæœøđðþłı]/g, (letter) => LETTERS[letter] ?? "");
