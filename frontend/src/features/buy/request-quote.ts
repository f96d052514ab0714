import type { Address, Hex } from "viem";
import { signTypedData } from "wagmi/actions";
import { postQuoteRequest } from "@/shared/api/post-quote-request.ts";
import { putContent } from "@/shared/api/put-content.ts";
import { chainTime } from "@/shared/chain/chain-time.ts";
import { type QuoteRequest, quoteRequestTypedData, writeQuoteRequest } from "@/shared/trade/quote-request.ts";
import { signingDomain } from "@/shared/trade/terms.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import type { PartyDraft } from "./draft.ts";
import { writeSpecification } from "./job-specification.ts";
import type { Order } from "./order.ts";

const VALID_S = 600;

/** Uploads the specification, signs the request and hands it to the node. Binds nobody. Returns the request's id. */
export async function requestQuote(
  trader: Trader,
  buyer: Address,
  askId: string,
  draft: PartyDraft,
  order: Order,
): Promise<string> {
  const { wagmi, config } = trader;
  const now = await chainTime(wagmi, config.chain_number);
  const written = await writeSpecification({ ...order.specification, clock_s: now });
  await putContent(written.bytes);
  const request: QuoteRequest = {
    buyer,
    payer: buyer,
    ask: askId as Hex,
    spec: written.digest,
    maxUnits: order.maxUnits,
    verifier: draft.verifier,
    arbiter: draft.arbiter,
    verifierFee: order.verifierFee,
    arbiterFee: order.arbiterFee,
    end: 0,
    validUntil: now + VALID_S,
    // Makes equal requests distinct, and rises with time.
    nonce: Date.now(),
  };
  const signature = await signTypedData(wagmi, quoteRequestTypedData(signingDomain(config), request));
  const published = await postQuoteRequest(writeQuoteRequest(request), signature);
  return published.id;
}
