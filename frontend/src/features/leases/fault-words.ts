import type { ReadingFault } from "./reading-fault.ts";

const WORDS: Readonly<Record<ReadingFault, string>> = {
  "chain-broken": "it does not follow the reading before it",
  "clock-fell": "its clock went back",
  "faster-than-time": "it counts more seconds than passed",
  "gap-in-readings": "more than an interval lies before it",
  "meter-fell": "what was measured fell",
  "more-than-the-machine": "it tells of more work than any machine does",
  "no-process": "nothing ran on the machine",
  "sample-unfit": "what was measured is not there, or not what it has to be",
};

/** Why a reading is not believed, in words; a reason that is not known here stands as it is. */
export function faultWords(reason: string): string {
  return (WORDS as Readonly<Record<string, string>>)[reason] ?? reason;
}
