import { type Address, createWalletClient, getAddress, type Hex, http, numberToHex } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { createConnector } from "wagmi";
import type { Config } from "@/shared/api/schemas.ts";
import { isDevelopmentChain } from "@/shared/chain/chain.ts";
import { PageError } from "@/shared/errors/page-error.ts";

/** What every development chain is started with. Everybody knows these keys. */
const PUBLIC_MNEMONIC = "test test test test test test test test test test test junk";
const ACCOUNTS = 20;
const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

export const DEVELOPMENT_WALLET = "development wallet – public keys";

export interface DevelopmentAccount {
  readonly label: string;
  readonly address: string;
}

/** The accounts of the built-in wallet: none unless the node offers them, the chain is a development chain and the page is this machine's own. */
export function developmentAccounts(config: Config, hostname: string): readonly DevelopmentAccount[] {
  const allowed = config.development_wallet.enabled && isDevelopmentChain(config) && LOOPBACK_HOSTS.includes(hostname);
  return allowed ? config.development_wallet.addresses : [];
}

/** A wallet inside the page that holds one well-known account. */
export function developmentConnector({ label, address }: DevelopmentAccount) {
  const storageKey = `development-wallet.${address.toLowerCase()}`;
  return createConnector<{ request: (question: { method: string }) => Promise<unknown> }>((wagmi) => {
    const [chain] = wagmi.chains;
    const client = () =>
      createWalletClient({ account: accountOf(address), chain, transport: http(chain.rpcUrls.default.http[0]) });
    const accounts: readonly Address[] = [getAddress(address)];
    return {
      id: storageKey,
      name: label,
      type: "development",
      async connect() {
        accountOf(address);
        await wagmi.storage?.setItem(storageKey as never, true as never);
        return { accounts: accounts as never, chainId: chain.id };
      },
      async disconnect() {
        await wagmi.storage?.removeItem(storageKey as never);
      },
      getAccounts: async () => accounts,
      getChainId: async () => chain.id,
      getClient: async () => client(),
      async getProvider() {
        return { request: async ({ method }) => answer(method, accounts, numberToHex(chain.id)) };
      },
      isAuthorized: async () => Boolean(await wagmi.storage?.getItem(storageKey as never)),
      switchChain: async () => chain,
      onAccountsChanged: () => undefined,
      onChainChanged: () => undefined,
      onDisconnect: () => wagmi.emitter.emit("disconnect"),
    };
  });
}

function answer(method: string, accounts: readonly Address[], chainId: Hex): unknown {
  if (method === "eth_accounts" || method === "eth_requestAccounts") return accounts;
  if (method === "eth_chainId") return chainId;
  throw new PageError(`The development wallet does not know ${method}: use another wallet for that.`);
}

const derived = new Map<string, ReturnType<typeof mnemonicToAccount>>();

function accountOf(address: string) {
  for (let addressIndex = 0; derived.size < ACCOUNTS && !derived.has(address.toLowerCase()); addressIndex += 1) {
    const account = mnemonicToAccount(PUBLIC_MNEMONIC, { addressIndex });
    derived.set(account.address.toLowerCase(), account);
  }
  const found = derived.get(address.toLowerCase());
  if (found === undefined) {
    throw new PageError(`${address} is none of the well-known development accounts: connect a wallet that holds it.`);
  }
  return found;
}
