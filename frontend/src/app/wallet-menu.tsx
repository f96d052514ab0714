import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { type Connector, useConnect, useConnection, useConnectors, useDisconnect } from "wagmi";
import { useNodeConfig } from "@/shared/node-config.ts";
import { paths } from "@/shared/paths.ts";
import { labelOf, shortHex } from "@/shared/ui/account-name.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { DEVELOPMENT_WALLET } from "@/shared/wallet/development-connector.ts";
import { WalletBalances } from "./wallet-balances.tsx";

/** Connects a wallet, shows what it holds, and changes to another. */
export function WalletMenu() {
  const [open, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const config = useNodeConfig();
  const { address, connector } = useConnection();
  useEffect(() => {
    if (!open) return;
    const closeOutside = (event: Event) => {
      const { target } = event;
      if (target instanceof Node && !menu.current?.contains(target)) setOpen(false);
    };
    const closeOnEscape = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("keydown", closeOnEscape);
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("keydown", closeOnEscape);
    };
  }, [open]);

  const name = address && [labelOf(config, address), shortHex(address)].filter(Boolean).join(" ");
  return (
    <div className="wallet" ref={menu}>
      <button
        type="button"
        className={address ? undefined : "primary"}
        aria-expanded={open}
        aria-controls="wallet-menu"
        onClick={() => setOpen(!open)}
      >
        {name ? `Account ${name}` : "Connect wallet"}
      </button>
      {open && (
        <section id="wallet-menu" aria-label="Wallet">
          {address && (
            <>
              {connector?.type === "development" && <p className="muted">This is the {DEVELOPMENT_WALLET}.</p>}
              <WalletBalances address={address} />
            </>
          )}
          <p>
            <Link to={paths.keys} onClick={() => setOpen(false)}>
              Reader keys
            </Link>{" "}
            <span className="muted">for sealed jobs</span>
          </p>
          <WalletChoice current={connector} onDone={() => setOpen(false)} />
        </section>
      )}
    </div>
  );
}

function WalletChoice({ current, onDone }: { readonly current: Connector | undefined; readonly onDone: () => void }) {
  const connect = useConnect();
  const disconnect = useDisconnect();
  const found = useConnectors();
  // A wallet that announced itself is the one behind the nameless one in the window.
  const announced = found.some((connector) => connector.type === "injected" && connector.id !== "injected");
  const offered = found.filter(
    (connector) => connector.uid !== current?.uid && !(connector.id === "injected" && (announced || !hasInjected())),
  );

  const change = async (connector: Connector) => {
    if (current) await disconnect.mutateAsync({ connector: current });
    await connect.mutateAsync({ connector });
    onDone();
  };
  return (
    <>
      <ul className="plain">
        {offered.map((connector) => (
          <li key={connector.uid}>
            <button
              type="button"
              disabled={connect.isPending}
              onClick={() => void change(connector).catch(() => undefined)}
            >
              {connector.icon && <img src={connector.icon} alt="" width="20" height="20" />}
              {connector.type === "development" ? (
                <>
                  {connector.name} <small>{DEVELOPMENT_WALLET}</small>
                </>
              ) : (
                connector.name
              )}
            </button>
          </li>
        ))}
      </ul>
      {offered.length === 0 && !current && (
        <p>This browser has no wallet: install one, such as a browser extension for Ethereum, and reload the page.</p>
      )}
      {current && (
        <button type="button" onClick={() => disconnect.mutate({ connector: current })}>
          Disconnect
        </button>
      )}
      <Failure error={connect.error ?? disconnect.error} />
    </>
  );
}

function hasInjected(): boolean {
  return "ethereum" in window;
}
