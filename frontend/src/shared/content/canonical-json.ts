import { PageError } from "@/shared/errors/page-error.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** JSON in its one spelling (RFC 8785), so that a digest names a document. Whole numbers up to 2^53 − 1 only: money is text here. */
export function canonicalJson(document: Json): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(spell(document));
}

function spell(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return spellText(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new PageError(`${value} is no whole number below 2^53: correct it.`);
    return String(value === 0 ? 0 : value);
  }
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`;
  const object = value as { readonly [name: string]: Json };
  // The default order of JavaScript, by UTF-16 code units, is the one that the standard demands.
  const members = Object.keys(object).sort();
  return `{${members.map((name) => `${spellText(name)}:${spell(object[name] ?? null)}`).join(",")}}`;
}

function spellText(text: string): string {
  if (LONE_SURROGATE.test(text)) throw new PageError("A text has half of a character in it: type it again.");
  return JSON.stringify(text);
}
