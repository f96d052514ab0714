import type { useMembers } from "@/shared/api/get-institutions.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

interface Props {
  readonly title: string;
  readonly query: ReturnType<typeof useMembers>;
}

/** Members of an institution, and what they stand to lose. */
export function MemberTable({ title, query }: Props) {
  const members = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <Failure error={query.error} onRetry={() => void query.refetch()} />
      {query.isSuccess && members.length === 0 && <p className="notice">Nobody was named yet.</p>}
      {members.length > 0 && (
        <WideTable caption={title}>
          <thead>
            <tr>
              <th scope="col">Member</th>
              <th scope="col">Seat</th>
              <th scope="col">Since</th>
              <th scope="col">Stake</th>
              <th scope="col">Lost</th>
              <th scope="col">Fees withdrawn</th>
              <th scope="col">Settled</th>
            </tr>
          </thead>
          <tbody>
            {members.map((member) => (
              <tr key={member.account}>
                <th scope="row">
                  <AccountName address={member.account} />
                </th>
                <td>{member.seat === "none" ? (member.named ? "named" : "dismissed") : member.seat}</td>
                <td>
                  <TimeOf seconds={member.since || null} />
                </td>
                <td>
                  <Credits atoms={member.stake} />
                </td>
                <td>
                  <Credits atoms={member.lost} />
                </td>
                <td>
                  <Credits atoms={member.fees_withdrawn} />
                </td>
                <td>{member.confirmation}</td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      )}
      <NextPage query={query} />
    </section>
  );
}
