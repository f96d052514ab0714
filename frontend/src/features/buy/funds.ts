import { useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import { readContract } from "wagmi/actions";
import { creditContract, escrowContract, reserveContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

const EVERY_MS = 3_000;

/** What a buyer could pay with. Credits in atoms, the reserve in its own smallest unit. */
export interface Funds {
  readonly wallet: bigint;
  readonly free: bigint;
  readonly reserve: bigint;
  /** Atoms of credit for the reserve's smallest unit. */
  readonly scale: bigint;
}

/** The funds of an account, straight from the chain. */
export function useFunds(trader: Trader, owner: Address) {
  const { wagmi, config } = trader;
  return useQuery({
    queryKey: ["funds", owner],
    queryFn: async (): Promise<Funds> => {
      const chainId = config.chain_number;
      const credit = creditContract(config);
      const escrow = escrowContract(config);
      const [wallet, account, reserve, scale] = await Promise.all([
        readContract(wagmi, { ...credit, chainId, functionName: "balanceOf", args: [owner] }),
        readContract(wagmi, { ...escrow, chainId, functionName: "accountOf", args: [owner] }),
        readContract(wagmi, { ...reserveContract(config), chainId, functionName: "balanceOf", args: [owner] }),
        readContract(wagmi, { ...credit, chainId, functionName: "scale" }),
      ]);
      return { wallet, free: account.free, reserve, scale };
    },
    refetchInterval: EVERY_MS,
  });
}

/** The reserve that buys at least the credits that the wallet lacks, in the reserve's smallest unit. */
export function reserveForShortage(funds: Funds, price: bigint): bigint {
  const short = price - funds.wallet;
  return short <= 0n ? 0n : (short + funds.scale - 1n) / funds.scale;
}

/** Swaps `amount` of the reserve for credits: approves exactly that, then mints. */
export async function swapReserve(trader: Trader, owner: Address, amount: bigint): Promise<void> {
  const { wagmi, config } = trader;
  const credit = creditContract(config);
  const chainId = config.chain_number;
  await sendCall(wagmi, chainId, {
    ...reserveContract(config),
    functionName: "approve",
    args: [credit.address, amount],
  });
  await sendCall(wagmi, chainId, { ...credit, functionName: "mint", args: [owner, amount] });
}

/** Play money: only the reserve of a development chain mints for anybody. */
export async function mintPlayMoney(trader: Trader, owner: Address, amount: bigint): Promise<void> {
  const { wagmi, config } = trader;
  await sendCall(wagmi, config.chain_number, {
    ...reserveContract(config),
    functionName: "mint",
    args: [owner, amount],
  });
}
