import { get } from "./request.ts";
import type { Config } from "./schemas.ts";

/** Everything that the page has to know before it can trade. */
export function getConfig(signal?: AbortSignal): Promise<Config> {
  return get("/v1/config", { signal });
}
