import { isAddress, isHex } from "viem";
import { AccountName } from "./account-name.tsx";
import { Credits } from "./credits.tsx";
import { Hash } from "./hash.tsx";

const AMOUNTS = new Set([
  "amount",
  "arbiterFee",
  "arbiterFromBond",
  "arbiterFromEscrow",
  "bond",
  "bondReturned",
  "bondToBuyer",
  "bondToTreasury",
  "credit",
  "credits",
  "debit",
  "escrow",
  "fee",
  "fromWallet",
  "providerPaid",
  "refund",
  "share",
  "stake",
  "toWallet",
  "unitPrice",
  "verifierFee",
  "verifierPaid",
]);

type Values = Readonly<Record<string, unknown>>;

/** What an event carries: amounts as credits, accounts by name, the terms folded away. */
export function EventArguments({ args }: { readonly args: Values }) {
  const entries = Object.entries(args);
  return (
    <>
      {entries
        .filter(([, value]) => !isNested(value))
        .map(([name, value]) => (
          <span className="argument" key={name}>
            <span className="muted">{name}</span> <Value name={name} value={value} />
          </span>
        ))}
      {entries
        .filter(([, value]) => isNested(value))
        .map(([name, value]) => (
          <details key={name}>
            <summary>{name}</summary>
            <EventArguments args={value as Values} />
          </details>
        ))}
    </>
  );
}

function Value({ name, value }: { readonly name: string; readonly value: unknown }) {
  if (typeof value === "string" && isAddress(value)) return <AccountName address={value} />;
  if (typeof value === "string" && isHex(value)) return <Hash value={value} />;
  if (AMOUNTS.has(name) && /^\d+$/.test(String(value))) return <Credits atoms={String(value)} />;
  return <span>{Array.isArray(value) ? value.map(String).join(", ") : String(value)}</span>;
}

function isNested(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
