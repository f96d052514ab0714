import type { Address, Hex } from "viem";
import { signTypedData } from "wagmi/actions";
import { postQuoteRequest } from "@/shared/api/post-quote-request.ts";
import { putContent } from "@/shared/api/put-content.ts";
import { chainTime } from "@/shared/chain/chain-time.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { keyRing } from "@/shared/sealing/key-ring.ts";
import { type QuoteRequest, quoteRequestTypedData, writeQuoteRequest } from "@/shared/trade/quote-request.ts";
import { signingDomain } from "@/shared/trade/terms.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import type { PartyDraft } from "./draft.ts";
import { bytesOf } from "./held-files.ts";
import { type Specification, writeSpecification } from "./job-specification.ts";
import type { Order } from "./order.ts";
import { sealSpecification } from "./seal-specification.ts";

const VALID_S = 600;

/** Seals what is to be sealed, uploads the specification, signs the request and hands it to the node. Binds nobody. Returns the request's id. */
export async function requestQuote(
  trader: Trader,
  buyer: Address,
  askId: string,
  draft: PartyDraft,
  order: Order,
): Promise<string> {
  const { wagmi, config } = trader;
  const now = await chainTime(wagmi, config.chain_number);
  const written = await writeSpecification(await sealed({ ...order.specification, clock_s: now }, order.readers));
  await putContent(written.bytes);
  const request: QuoteRequest = {
    buyer,
    payer: buyer,
    ask: askId as Hex,
    spec: written.digest,
    maxUnits: order.maxUnits,
    verifier: order.verifier === "buyer" ? buyer : order.verifier,
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

/** The specification as others get it; what it seals is uploaded. */
async function sealed(plain: Specification, readers: readonly Hex[]): Promise<Specification> {
  if (readers.length === 0) return plain;
  const [own] = keyRing();
  if (own === undefined || plain.version !== 2) {
    throw new PageError("This browser has no reader key, so you could not open what comes back: make one first.");
  }
  const { specification, files } = await sealSpecification(plain, [own.public, ...readers], bytesOf);
  for (const file of files) await putContent(file);
  return specification;
}
