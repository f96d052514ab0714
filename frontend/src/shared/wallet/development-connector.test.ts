import { recoverTypedDataAddress } from "viem";
import { describe, expect, test } from "vitest";
import { type Connector, createConfig, http, type Config as WagmiConfig } from "wagmi";
import { connect, getConnectorClient, signTypedData } from "wagmi/actions";
import type { Config } from "@/shared/api/schemas.ts";
import { chainOf } from "@/shared/chain/chain.ts";
import { developmentAccounts, developmentConnector } from "./development-connector.ts";

const BUYER = { label: "buyer", address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" };

function nodeConfig(changes: Partial<Config> = {}): Config {
  const wallet = { development_wallet: { enabled: true, addresses: [BUYER] } };
  return { chain_number: 31_337, rpc_path: "/rpc", rpc_url_public: null, ...wallet, ...changes } as Config;
}

describe("the built-in wallet is offered", () => {
  test.each(["localhost", "127.0.0.1", "[::1]"])("on %s", (hostname) => {
    expect(developmentAccounts(nodeConfig(), hostname)).toEqual([BUYER]);
  });

  test("not under any other name", () => {
    expect(developmentAccounts(nodeConfig(), "computility.example")).toEqual([]);
    expect(developmentAccounts(nodeConfig(), "localhost.example")).toEqual([]);
  });

  test("not on a chain where money is real, whatever the node says", () => {
    expect(developmentAccounts(nodeConfig({ chain_number: 1 }), "localhost")).toEqual([]);
  });

  test("not when the node does not offer it", () => {
    const closed = nodeConfig({ development_wallet: { enabled: false, addresses: [BUYER] } });
    expect(developmentAccounts(closed, "localhost")).toEqual([]);
  });
});

describe("connected", () => {
  const chain = chainOf(nodeConfig(), "http://127.0.0.1:8000");
  const wagmiWith = (account: typeof BUYER) =>
    createConfig({
      chains: [chain],
      connectors: [developmentConnector(account)],
      transports: { [chain.id]: http() },
      storage: null,
    });

  async function connectTo(wagmi: ReturnType<typeof wagmiWith>) {
    const [connector] = wagmi.connectors;
    if (connector === undefined) throw new Error("the configuration lost its connector");
    await connect<WagmiConfig, Connector>(wagmi, { connector });
  }

  test("it signs as the account that the node named", async () => {
    const wagmi = wagmiWith(BUYER);
    await connectTo(wagmi);
    expect((await getConnectorClient(wagmi)).account.address).toBe(BUYER.address);
    const typed = {
      domain: { name: "Test", chainId: 31_337 },
      types: { Note: [{ name: "text", type: "string" }] },
      primaryType: "Note",
      message: { text: "hello" },
    } as const;
    const signature = await signTypedData(wagmi, typed);
    expect(await recoverTypedDataAddress({ ...typed, signature })).toBe(BUYER.address);
  });

  test("an account that is none of the well-known ones is refused", async () => {
    const wagmi = wagmiWith({ label: "stranger", address: "0x000000000000000000000000000000000000dEaD" });
    const connected = connectTo(wagmi);
    await expect(connected).rejects.toThrow("none of the well-known development accounts");
  });
});
