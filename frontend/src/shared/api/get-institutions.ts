import { useInfiniteQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

const LISTS = {
  committee: "/v1/committee",
  arbiters: "/v1/arbiters",
} as const;

/** Members of the committee of verifiers, or of the panel of arbiters. */
export function useMembers(list: keyof typeof LISTS) {
  return useInfiniteQuery({
    queryKey: [list],
    queryFn: ({ pageParam, signal }) => get(LISTS[list], { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });
}

/** Disputes before panels, the newest first. */
export function useDisputes() {
  return useInfiniteQuery({
    queryKey: ["disputes"],
    queryFn: ({ pageParam, signal }) => get("/v1/disputes", { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });
}

/** Who may schedule, cancel and execute changes of the timelock. */
export function useRoles() {
  return useInfiniteQuery({
    queryKey: ["roles"],
    queryFn: ({ pageParam, signal }) => get("/v1/roles", { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });
}

/** What was scheduled with the timelock, the newest first. */
export function useOperations() {
  return useInfiniteQuery({
    queryKey: ["operations"],
    queryFn: ({ pageParam, signal }) => get("/v1/operations", { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });
}
