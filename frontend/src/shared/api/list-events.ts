import { useInfiniteQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

export interface EventFilter {
  readonly name: string;
  readonly account: string;
}

/** Events of all contracts, the newest first. Not refreshed by itself, so that what one reads stays where it is. */
export function useEvents(filter: EventFilter, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ["events", filter],
    queryFn: ({ pageParam, signal }) =>
      get("/v1/events", {
        query: { name: filter.name || null, account: filter.account || null, cursor: pageParam, limit: 50 },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    enabled,
  });
}
