import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

const WAIT_S = 20;

/** A request and its answer: held back by the node while the provider thinks, and asked again at once when it still does. */
export function useQuoteRequest(requestId: string) {
  return useQuery({
    queryKey: ["quote-request", requestId],
    queryFn: ({ signal }) =>
      get("/v1/quote-requests/{request_id}", { path: { request_id: requestId }, query: { wait: WAIT_S }, signal }),
    refetchInterval: ({ state }) => (state.data?.status === "pending" ? 250 : false),
  });
}
