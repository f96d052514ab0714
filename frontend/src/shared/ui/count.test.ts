import { expect, test } from "vitest";
import { count } from "./count.ts";

test("one is one, and all else are many", () => {
  expect(count(1, "job")).toBe("1 job");
  expect(count(0, "job")).toBe("0 jobs");
  expect(count(1234, "body", "bodies")).toBe("1\u202f234 bodies");
});
