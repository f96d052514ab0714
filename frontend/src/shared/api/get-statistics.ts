import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

const DAYS = 60;

/** The market day by day, the newest first: two months at once. */
export function useMarketDays() {
  return useInfiniteQuery({
    queryKey: ["statistics", "days"],
    queryFn: ({ pageParam, signal }) =>
      get("/v1/statistics/days", { query: { limit: DAYS, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });
}

/** The whole market in all. */
export function useMarketTotal() {
  return useQuery({
    queryKey: ["statistics", "total"],
    queryFn: ({ signal }) => get("/v1/statistics/total", { signal }),
  });
}

/** What a unit of each kind of resource cost, day by day, the newest first. */
export function usePriceIndex() {
  return useQuery({
    queryKey: ["statistics", "prices"],
    queryFn: ({ signal }) => get("/v1/statistics/prices", { query: { limit: DAYS }, signal }),
  });
}

/** How the last 30 days' volume is spread over providers. */
export function useConcentration() {
  return useQuery({
    queryKey: ["statistics", "concentration"],
    queryFn: ({ signal }) => get("/v1/statistics/concentration", { signal }),
  });
}
