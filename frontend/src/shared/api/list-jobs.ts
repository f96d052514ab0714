import { useInfiniteQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

export type Role = "buyer" | "provider";

const LIVE_MS = 2_000;
const IDLE_MS = 10_000;

/** Jobs of an account in a role, the newest first; asked more often while one of them is live. */
export function useJobs(role: Role, account: string | undefined) {
  return useInfiniteQuery({
    queryKey: ["jobs", role, account],
    queryFn: ({ pageParam, signal }) =>
      get("/v1/jobs", { query: { [role]: account ?? null, cursor: pageParam, limit: 50 }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    enabled: account !== undefined,
    refetchInterval: ({ state }) => {
      const rows = state.data?.pages.flatMap((page) => page.items) ?? [];
      return rows.some((row) => row.state !== "closed") ? LIVE_MS : IDLE_MS;
    },
  });
}
