import type { Abi, Address, ContractFunctionArgs, ContractFunctionName, TransactionReceipt } from "viem";
import type { Config as WagmiConfig } from "wagmi";
import { simulateContract, waitForTransactionReceipt, writeContract } from "wagmi/actions";
import { PageError } from "@/shared/errors/page-error.ts";

const SENT =
  "The transaction was sent, and the chain stopped answering: see what became of it before you send it again.";

interface Call<A extends Abi, Name extends ContractFunctionName<A, "nonpayable">> {
  readonly address: Address;
  readonly abi: A;
  readonly functionName: Name;
  readonly args: ContractFunctionArgs<A, "nonpayable", Name>;
}

/**
 * Sends one call and waits until it is mined.
 *
 * It is tried out first, so that what the contract refuses is told in its own words before the wallet asks for anything.
 */
export async function sendCall<const A extends Abi, Name extends ContractFunctionName<A, "nonpayable">>(
  wagmi: WagmiConfig,
  chainId: number,
  call: Call<A, Name>,
): Promise<TransactionReceipt> {
  const { request } = await simulateContract(wagmi, { ...(call as Call<Abi, string>), chainId });
  const hash = await writeContract(wagmi, request);
  const receipt = await waitForTransactionReceipt(wagmi, { hash, chainId }).catch((cause: unknown) => {
    throw new PageError(SENT, { cause });
  });
  if (receipt.status === "reverted") {
    throw new PageError("The transaction was mined and refused: something changed meanwhile. Reload and try again.");
  }
  return receipt;
}
