import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

const EVERY_MS = 5_000;

/** How the node is, asked again and again. */
export function useHealth() {
  return useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => get("/v1/health", { signal }),
    refetchInterval: EVERY_MS,
    retry: false,
  });
}
