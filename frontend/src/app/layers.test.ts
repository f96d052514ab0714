import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "..");
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  app: ["app", "features", "shared", "generated"],
  features: ["shared", "generated"],
  shared: ["shared", "generated"],
  generated: [],
};
const IMPORT = /(?:from|import\()\s*"([^"]+)"|import\s+"([^"]+)"/g;

/** The folder directly below src, and the feature where there is one. */
function placeOf(path: string): readonly [layer: string, feature: string | undefined] {
  const [layer = "", feature] = relative(SRC, path).split("/");
  return [layer, layer === "features" ? feature : undefined];
}

const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && path.includes("/"))
  .map((path) => join(SRC, path));

test("there are sources to look at", () => expect(sources.length).toBeGreaterThan(50));

test.each(sources.map((path) => relative(SRC, path)))("%s imports only downwards, and no other feature", (name) => {
  const path = join(SRC, name);
  const [layer, feature] = placeOf(path);
  const wrong: string[] = [];
  for (const match of readFileSync(path, "utf8").matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? "";
    if (!/^[.@]\.?\//.test(specifier)) continue;
    const target = specifier.startsWith("@/") ? join(SRC, specifier.slice(2)) : resolve(path, "..", specifier);
    const [targetLayer, targetFeature] = placeOf(target);
    const own = feature !== undefined && feature === targetFeature;
    if (!own && !ALLOWED[layer]?.includes(targetLayer)) wrong.push(specifier);
  }
  expect(wrong).toEqual([]);
});
