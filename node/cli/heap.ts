/**
 * How V8 keeps its heap in a running node. By default it lets garbage grow with the memory of the machine: a transaction
 * of 400,000 rows then took 409 MiB at most. With growth by three fifths one of a million rows takes 211 MiB, and a first
 * copy of 500,000 rows 2.1 s of processor time; by a fifth it is collected every 6 MiB, which took 3.1 s. The young space
 * grows with what is alive in it, to 102 MiB in a long drain, and no flag that is set here makes it smaller. What is alive
 * when it is collected is copied, so changes are objects part by part (`provider/queue.ts`).
 */
import { setFlagsFromString } from 'node:v8';

/** From here on old space grows by three fifths, not several times, between two collections. */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=60');
}
