import { type FormEvent, useId, useState } from "react";
import { useSearchParams } from "react-router";
import { isAddress } from "viem";
import { useEvents } from "@/shared/api/list-events.ts";
import { EventTable } from "@/shared/ui/event-table.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";

const NAMES = [
  "JobOpened",
  "JobAttested",
  "JobProposed",
  "JobDisputed",
  "JobRuled",
  "JobPaid",
  "JobClosed",
  "JobSkipped",
  "JobCancelled",
  "Deposited",
  "Withdrawn",
  "BondStaked",
  "BondUnstaked",
  "RewardStaked",
  "RewardClaimed",
  "StakeSlashed",
  "DisputeOpened",
  "VoteRevealed",
  "Ruling",
  "MemberJoined",
  "MemberSlashed",
  "FeeClaimed",
  "CallScheduled",
  "CallExecuted",
  "ProviderRegistered",
  "ResourceListed",
  "FeesCollected",
  "ParametersChanged",
  "Paused",
  "Unpaused",
];

/** Every event, page by page; the filters stand in the address, so that a view can be shared. */
export function EventBrowser() {
  const [parameters, setParameters] = useSearchParams();
  const filter = { name: parameters.get("event") ?? "", account: parameters.get("account") ?? "" };
  const events = useEvents(filter, filter.account === "" || isAddress(filter.account, { strict: false }));
  const rows = events.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-label="Events">
      <h2>Events</h2>
      <FilterForm
        key={`${filter.name}:${filter.account}`}
        name={filter.name}
        account={filter.account}
        onChange={(event, account) => setParameters({ ...(event && { event }), ...(account && { account }) })}
      />
      <Failure error={events.error} onRetry={() => void events.refetch()} />
      {events.isLoading && <Waiting>Reading events …</Waiting>}
      {rows.length > 0 && <EventTable caption="Events, the newest first" events={rows} withJob />}
      {events.isSuccess && rows.length === 0 && <p className="notice">No event fits: change the filter.</p>}
      <NextPage query={events} />
    </section>
  );
}

interface FilterProps {
  readonly name: string;
  readonly account: string;
  readonly onChange: (name: string, account: string) => void;
}

function FilterForm({ name, account, onChange }: FilterProps) {
  const id = useId();
  const [typed, setTyped] = useState(account);
  const fits = typed.trim() === "" || isAddress(typed.trim(), { strict: false });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (fits) onChange(name, typed.trim());
  };
  return (
    <form className="row" onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor={`${id}-name`}>Event</label>
        <select id={`${id}-name`} value={name} onChange={(event) => onChange(event.target.value, account)}>
          <option value="">all</option>
          {NAMES.map((known) => (
            <option key={known}>{known}</option>
          ))}
          {name !== "" && !NAMES.includes(name) && <option>{name}</option>}
        </select>
      </div>
      <div className="field">
        <label htmlFor={`${id}-account`}>Account</label>
        <input
          id={`${id}-account`}
          value={typed}
          placeholder="0x…"
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setTyped(event.target.value)}
        />
        {!fits && <small role="alert">An account is 0x and 40 hex digits.</small>}
      </div>
      <button type="submit">Filter</button>
    </form>
  );
}
