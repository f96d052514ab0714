import { expect, test } from "vitest";
import { outputKind } from "./output-kind.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("pictures are known by their first bytes", () => {
  expect(outputKind(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))).toEqual({
    kind: "image",
    type: "image/png",
  });
  expect(outputKind(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0))).toEqual({ kind: "image", type: "image/jpeg" });
  expect(outputKind(bytes("RIFF0000WEBPVP8 "))).toEqual({ kind: "image", type: "image/webp" });
});

test("a page or a drawing that could carry a script is text, never run", () => {
  expect(outputKind(bytes("<svg onload=alert(1)>"))).toEqual({ kind: "text" });
  expect(outputKind(bytes("<script>alert(1)</script>"))).toEqual({ kind: "text" });
});

test("what is neither is only saved", () => {
  expect(outputKind(Uint8Array.of(0, 1, 2))).toEqual({ kind: "other" });
  expect(outputKind(Uint8Array.of(0xc3, 0x28))).toEqual({ kind: "other" });
  expect(outputKind(bytes("a".repeat(64 * 1024 + 1)))).toEqual({ kind: "other" });
});
