import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

/** One ask, open or not. */
export function useAsk(askId: string | undefined) {
  return useQuery({
    queryKey: ["ask", askId],
    queryFn: ({ signal }) => get("/v1/asks/{ask_id}", { path: { ask_id: askId ?? "" }, signal }),
    enabled: askId !== undefined,
  });
}
