import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

/** An account's credit scores. */
export function useScores(account: string | undefined) {
  return useQuery({
    queryKey: ["scores", account],
    queryFn: ({ signal }) => get("/v1/scores/{account}", { path: { account: account ?? "" }, signal }),
    enabled: account !== undefined,
  });
}
