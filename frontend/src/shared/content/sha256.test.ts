import { bytesToHex } from "viem";
import { afterEach, expect, test, vi } from "vitest";
import { sha256 } from "./sha256.ts";

afterEach(() => vi.unstubAllGlobals());

const ABC = "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

test("the browser's own SHA-256", async () => {
  expect(bytesToHex(await sha256(new TextEncoder().encode("abc")))).toBe(ABC);
});

test("the same where the browser offers none, as on an insecure origin", async () => {
  vi.stubGlobal("crypto", {});
  expect(bytesToHex(await sha256(new TextEncoder().encode("abc")))).toBe(ABC);
});
