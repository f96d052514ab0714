export type OutputKind = { readonly kind: "image"; readonly type: string } | { readonly kind: "text" | "other" };

const IMAGES: readonly (readonly [type: string, magic: readonly number[], offset: number])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], 0],
  ["image/jpeg", [0xff, 0xd8, 0xff], 0],
  ["image/webp", [0x57, 0x45, 0x42, 0x50], 8],
];
const TEXT_LIMIT = 64 * 1024;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a text has none of them, which is what is looked for
const CONTROL = /[\u0000-\u0008\u000e-\u001f]/;

/** How bytes of a stranger can be shown, from the bytes alone: three image types, short text, or not at all. */
export function outputKind(bytes: Uint8Array): OutputKind {
  for (const [type, magic, offset] of IMAGES) {
    if (magic.every((byte, index) => bytes[offset + index] === byte)) return { kind: "image", type };
  }
  if (bytes.length > TEXT_LIMIT) return { kind: "other" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { kind: CONTROL.test(text) ? "other" : "text" };
  } catch {
    return { kind: "other" };
  }
}
