/** Which link is cut and which process is killed when: decided by the seed before the run starts. Pure. */
import { Random } from '../random.ts';
import type { Cut } from '../site/link.ts';

export type Fault = {
  /** Seconds after the load began. */
  readonly at: number;
  readonly lastsSeconds: number;
  readonly place: string;
} & (
  | { readonly kind: 'cut'; readonly cut: Cut }
  | { readonly kind: 'kill_node' }
  | { readonly kind: 'kill_database' }
);

export interface PlanOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Names of the places; the first is the nation, which has no link. */
  readonly places: readonly string[];
}

/**
 * At least three cuts and at least one node and one database killed, however short the run; more in longer ones. All
 * have ended by nine tenths of the time; no two of one kind overlap at one place.
 */
export function planFaults({ seed, seconds, places }: PlanOptions): readonly Fault[] {
  const random = new Random(seed, 'faults');
  const cuts = Math.max(3, Math.round(seconds / 12));
  const kills = Math.max(2, Math.round(seconds / 15));
  const within = { random, seconds };
  return [
    ...spread(cuts, within).map((time, index) => ({
      ...time,
      kind: 'cut' as const,
      place: random.pick(places.slice(1)),
      cut: cutOf(random, index),
    })),
    ...spread(kills, within).map((time, index) => ({
      ...time,
      kind: index % 2 === 0 ? ('kill_node' as const) : ('kill_database' as const),
      place: random.pick(places),
    })),
  ].sort((a, b) => a.at - b.at);
}

/** One in every equal slice of the time, so that two never overlap. */
function spread(
  count: number,
  { random, seconds }: { random: Random; seconds: number },
): { at: number; lastsSeconds: number }[] {
  const first = seconds * 0.1;
  const slice = (seconds * 0.8) / count;
  return Array.from({ length: count }, (_, index) => {
    const lastsSeconds = Math.min(8, slice * (0.2 + random.fraction() * 0.4));
    return { at: first + index * slice + random.fraction() * (slice - lastsSeconds), lastsSeconds };
  });
}

/** Each manner comes up within three cuts. */
function cutOf(random: Random, index: number): Cut {
  switch (index % 3) {
    case 0:
      return { manner: 'byte', after: random.integer(1, 60_000) };
    case 1:
      return { manner: 'reset' };
    default:
      return { manner: 'silence' };
  }
}
