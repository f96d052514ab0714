import type { Hex } from "viem";
import { signTypedData } from "wagmi/actions";
import { signedTypes } from "@/generated/typed-data.ts";
import { post } from "@/shared/api/request.ts";
import { chainTime } from "@/shared/chain/chain-time.ts";
import { signingDomain } from "@/shared/trade/terms.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

/** Says in the journal that a reading is not believed, and why: the provider stops at once, and nothing after what was signed is paid. */
export async function contestReading({ wagmi, config }: Trader, job: string, reading: string, reason: string) {
  const message = { job: job as Hex, reading: reading as Hex, reason, at: await chainTime(wagmi, config.chain_number) };
  const types = { MeterContest: signedTypes.MeterContest };
  const domain = signingDomain(config);
  const signature = await signTypedData(wagmi, { domain, types, primaryType: "MeterContest", message });
  await post("/v1/meter-contests", { kind: "meter-contest", message, signature });
}
