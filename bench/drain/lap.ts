/** One side drains the backlog: what it took, by the clock and by the kernel's accounts. */
import { bytesSent, cpuSeconds, cpuSecondsOfAll } from '../process-figures.ts';
import type { Course } from './course.ts';
import type { Side } from './side.ts';
import { Watch } from './watch.ts';

export interface Lap {
  readonly side: string;
  /** From the fork of its walsender until the last transaction is visible at the subscriber. */
  readonly wallSeconds: number;
  /** From being let go until the fork of its walsender. */
  readonly startSeconds: number;
  readonly walsenderCpu: number;
  readonly backendCpu: number;
  readonly nodeCpu: number;
  /** Sent by the walsender, as the kernel counts; null: not known. */
  readonly wireBytes: number | null;
  readonly peakBytes: number | null;
  readonly eventLoopP99Ms: number | null;
  /** Rows that are not as at the provider afterwards. */
  readonly differing: number;
}

/** Waits until what stands in the tables before the backlog has arrived, then holds the side back. */
export async function runIn(side: Side, course: Course, marker: number): Promise<void> {
  await using watch = await Watch.open(side.url);
  await watch.arrival(marker);
  await course.movesOn(side.slot);
  await side.hold();
}

export async function runLap(
  side: Side,
  course: Course,
  marker: number,
): Promise<Omit<Lap, 'differing'>> {
  await using watch = await Watch.open(side.url);
  await watch.settle();
  await side.eventLoopDelayMs?.();
  const before = await used(side);
  const releasedAt = Date.now();
  await side.release();
  const walsender = await course.streaming(side.slot);
  const endedAt = await watch.arrival(marker);
  const [after, walsenderCpu, wireBytes] = await Promise.all([
    used(side),
    cpuSeconds(walsender.pid),
    bytesSent(course.cluster.port, walsender.clientPort),
  ]);
  const eventLoopP99Ms = (await side.eventLoopDelayMs?.()) ?? null;
  const peakBytes = (await side.peakBytes?.()) ?? null;
  await side.hold();
  return {
    side: side.name,
    wallSeconds: (endedAt - walsender.startedAt) / 1000,
    startSeconds: (walsender.startedAt - releasedAt) / 1000,
    walsenderCpu,
    backendCpu: after.backends - before.backends,
    nodeCpu: after.node - before.node,
    wireBytes,
    peakBytes,
    eventLoopP99Ms,
  };
}

/** Processor seconds so far; a process that starts later starts from 0. */
async function used(side: Side): Promise<{ backends: number; node: number }> {
  const { backends, node } = await side.processes();
  const [backendSeconds, nodeSeconds] = await Promise.all([
    cpuSecondsOfAll(backends),
    node === null ? 0 : cpuSeconds(node),
  ]);
  return { backends: backendSeconds, node: nodeSeconds };
}
