import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { useConfig } from "wagmi";
import { getBlock } from "wagmi/actions";
import { formatWhole } from "@/shared/money/amount.ts";
import { useNodeConfig } from "@/shared/node-config.ts";
import { paths } from "@/shared/paths.ts";
import type { VerifiedTrade } from "@/shared/proof/verify-bundle.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { count } from "@/shared/ui/count.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import { EventArguments } from "@/shared/ui/event-arguments.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

const VERDICTS = ["no fault", "pass", "fail"];

const CONTRACTS = {
  ProviderRegistry: "the registry",
  VerifierCommittee: "the committee",
  Arbitration: "the arbitration",
} as const;

/** What a verified bundle proves, and what remains to be compared: the hashes of its blocks. */
export function ProvenTrade({ trade }: { readonly trade: VerifiedTrade }) {
  const { terms } = trade;
  return (
    <div role="status" aria-label="Proven trade">
      <p className="notice good">
        Proven: {count(trade.events.length, "event")} in {count(trade.blocks.length, "block")}. The job is {trade.state}
        {trade.attestations.length > 0 && `, on ${count(trade.attestations.length, "signed attestation")}`}.
      </p>
      <Facts
        rows={[
          [
            "Job",
            <Link key="job" to={paths.job(trade.job)}>
              <Hash value={trade.job} />
            </Link>,
          ],
          ["Chain and escrow", `${trade.chain}, ${trade.escrow}`],
          ["Buyer", <AccountName key="buyer" address={terms.buyer} full />],
          ["Provider", <AccountName key="provider" address={terms.provider} full />],
          ["Verifier", <AccountName key="verifier" address={terms.verifier} full />],
          ["Price a unit", <Credits key="price" atoms={terms.unitPrice} />],
          ["Units", `at most ${formatWhole(terms.maxUnits)}`],
          ["Attestations", <Attestations key="attestations" trade={trade} />],
          ["Specification", trade.hasSpecification ? "in the file, with the hash in the terms" : "named by its hash"],
          ["Evidence", trade.evidence > 0 ? `${count(trade.evidence, "document")} in the file` : "named by its hash"],
          ["Size", `${formatWhole(trade.bytes)} bytes`],
        ]}
      />
      <ProvenEvents trade={trade} />
      <BlockHashes trade={trade} />
    </div>
  );
}

function Attestations({ trade }: { readonly trade: VerifiedTrade }) {
  if (trade.attestations.length === 0) return <span className="muted">none is in the file</span>;
  return (
    <ul className="plain">
      {trade.attestations.map(({ message, signers, byVerifier }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes, and two may say the same
        <li key={at}>
          {VERDICTS[message.verdict]}, {formatWhole(BigInt(message.units))} units, signed by{" "}
          {signers.map((signer) => (
            <AccountName key={signer} address={signer} />
          ))}
          {!byVerifier && " of the verifier's contract"}
        </li>
      ))}
    </ul>
  );
}

function ProvenEvents({ trade }: { readonly trade: VerifiedTrade }) {
  return (
    <WideTable caption="Events that the file proves">
      <thead>
        <tr>
          <th scope="col">Event</th>
          <th scope="col">What it says</th>
          <th scope="col">Block</th>
          <th scope="col">Time</th>
        </tr>
      </thead>
      <tbody>
        {trade.events.map((event, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes, and a receipt does not number its logs
          <tr key={at}>
            <th scope="row">
              {event.name}
              {event.contract !== "JobEscrow" && <span className="muted"> of {CONTRACTS[event.contract]}</span>}
            </th>
            <td>
              <EventArguments args={event.args} />
            </td>
            <td className="number">{event.block}</td>
            <td>
              <TimeOf seconds={event.timestamp} />
            </td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

/** What the file cannot prove by itself: that its blocks are the chain's. */
function BlockHashes({ trade }: { readonly trade: VerifiedTrade }) {
  const node = useNodeConfig();
  const wagmi = useConfig();
  const compare = useMutation({
    mutationFn: () =>
      Promise.all(
        trade.blocks.map(async ({ number, hash }) => {
          const block = await getBlock(wagmi, { chainId: node.chain_number, blockNumber: BigInt(number) });
          return block.hash === hash;
        }),
      ),
  });
  return (
    <>
      <p>
        What remains to be believed is that these blocks are the chain's, and that nothing came after the last of them
        or was left out that no other event rests on. Compare their hashes with a source that you trust.
      </p>
      <ul className="plain">
        {trade.blocks.map(({ number, hash }, at) => (
          <li key={number}>
            block {number} <code className="long">{hash}</code>
            {compare.data && (compare.data[at] ? " – on the chain" : " – not on the chain")}
          </li>
        ))}
      </ul>
      {trade.chain === `eip155:${node.chain_number}` && (
        <button type="button" disabled={compare.isPending} onClick={() => compare.mutate()}>
          Compare with the chain that this page reads
        </button>
      )}
      <Failure error={compare.error} />
      {compare.data?.includes(false) && (
        <p className="notice bad" role="alert">
          The chain that this page reads has other blocks there: the proof is of another chain, or of one that was
          reorganised.
        </p>
      )}
    </>
  );
}
