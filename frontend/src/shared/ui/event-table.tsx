import { Link } from "react-router";
import type { EventRow } from "@/shared/api/schemas.ts";
import { paths } from "@/shared/paths.ts";
import { EventArguments } from "./event-arguments.tsx";
import { Hash } from "./hash.tsx";
import { TimeOf } from "./time-of.tsx";
import { WideTable } from "./wide-table.tsx";

interface Props {
  readonly caption: string;
  readonly events: readonly EventRow[];
  readonly withJob: boolean;
}

/** Events of the contracts, as they were emitted. */
export function EventTable({ caption, events, withJob }: Props) {
  return (
    <WideTable caption={caption}>
      <thead>
        <tr>
          <th scope="col">Event</th>
          {withJob && <th scope="col">Job</th>}
          <th scope="col">What it says</th>
          <th scope="col">Block</th>
          <th scope="col">Time</th>
          <th scope="col">Transaction</th>
          <th scope="col">Settled</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={`${event.block_hash}:${event.log_index}`}>
            <th scope="row">{event.name}</th>
            {withJob && (
              <td>
                {event.job && (
                  <Link to={paths.job(event.job)}>
                    <Hash value={event.job} />
                  </Link>
                )}
              </td>
            )}
            <td>
              <EventArguments args={event.args} />
            </td>
            <td className="number">{event.block_number}</td>
            <td>
              <TimeOf seconds={event.timestamp} />
            </td>
            <td>
              <Hash value={event.tx_hash} />
            </td>
            <td>{event.confirmation}</td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}
