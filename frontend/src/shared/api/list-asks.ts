import { useInfiniteQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

const EVERY_MS = 5_000;

/** Open asks, the cheapest first, page by page. */
export function useAsks() {
  return useInfiniteQuery({
    queryKey: ["asks"],
    queryFn: ({ pageParam, signal }) => get("/v1/asks", { query: { cursor: pageParam, limit: 50 }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    refetchInterval: EVERY_MS,
  });
}
