import { post } from "./request.ts";
import type { QuoteRequestMessage, QuoteRequestStatement } from "./schemas.ts";

/** Asks the provider behind an ask for signed terms. Binds nobody. */
export function postQuoteRequest(message: QuoteRequestMessage, signature: string): Promise<QuoteRequestStatement> {
  return post("/v1/quote-requests", { kind: "quote-request", message, signature });
}
