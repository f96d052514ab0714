import { useEvents } from "@/shared/api/list-events.ts";
import { EventTable } from "@/shared/ui/event-table.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";

/** Every event that concerns an account, the newest first. */
export function AccountEvents({ address }: { readonly address: string }) {
  const events = useEvents({ name: "", account: address }, true);
  const rows = events.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-label="Events">
      <h2>Events</h2>
      <Failure error={events.error} onRetry={() => void events.refetch()} />
      {events.isLoading && <Waiting>Reading events …</Waiting>}
      {rows.length > 0 && <EventTable caption="Events, the newest first" events={rows} withJob />}
      {events.isSuccess && rows.length === 0 && (
        <p className="notice">No event on this chain names the account: it has neither traded nor registered.</p>
      )}
      <NextPage query={events} />
    </section>
  );
}
