import { describe, expect, test } from "vitest";
import { PageError } from "@/shared/errors/page-error.ts";
import { canonicalJson, type Json } from "./canonical-json.ts";

const spell = (document: Json) => new TextDecoder().decode(canonicalJson(document));

describe("canonical JSON (RFC 8785)", () => {
  test("members are sorted by UTF-16 code units, as in the standard's own example", () => {
    const document = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
    expect(Object.values(JSON.parse(spell(document)) as object)).toHaveLength(7);
    expect([...spell(document).matchAll(/:(\d)/g)].map((match) => match[1]).join("")).toBe("2467153");
  });

  test("white space goes, lists keep their order, minus zero is zero", () => {
    expect(spell({ b: [3, 1, -0], a: { z: null, y: true } })).toBe('{"a":{"y":true,"z":null},"b":[3,1,0]}');
  });

  test("control characters are escaped the short way, others stand as they are", () => {
    expect(spell({ text: '\u000f\n"\\é/' })).toBe('{"text":"\\u000f\\n\\"\\\\é/"}');
  });

  test.each([0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])("%d is refused: amounts are text", (value) => {
    expect(() => spell({ value })).toThrow(PageError);
  });

  test("half of a surrogate pair is refused, in a name too", () => {
    expect(() => spell({ text: "\ud83d" })).toThrow(PageError);
    expect(() => spell({ "\ude00": 1 })).toThrow(PageError);
    expect(spell({ text: "😀" })).toBe('{"text":"😀"}');
  });
});
