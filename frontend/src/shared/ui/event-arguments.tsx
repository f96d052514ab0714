import { isAddress, isHex } from "viem";
import { formatBps } from "@/shared/money/share.ts";
import { AccountName } from "./account-name.tsx";
import { Credits } from "./credits.tsx";
import { Hash } from "./hash.tsx";
import { TimeOf } from "./time-of.tsx";

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

const TIMES = new Set(["appealBy", "at", "closesAt", "commitBy", "deadline", "end", "openBy", "revealBy"]);

/** The contracts' enumerations, in their order. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  verdict: ["no fault", "pass", "fail"],
  outcome: ["no fault", "claim", "pass", "fail"],
  cause: ["attested", "finalized", "ruled", "agreed", "reclaimed", "disputed by default", "cancelled"],
  role: ["buyer", "provider"],
};

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
  if (TIMES.has(name) && Number(value) > 0) return <TimeOf seconds={Number(value)} />;
  if (name.endsWith("Bps") && typeof value === "number") return <span className="number">{formatBps(value)}</span>;
  const words = WORDS[name]?.[Number(value)];
  if (words !== undefined) return <span>{words}</span>;
  return <span>{Array.isArray(value) ? value.map(String).join(", ") : String(value)}</span>;
}

function isNested(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
