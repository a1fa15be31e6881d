/**
 * What a stream did since the process started. Provider and applier are made anew at each attempt and count from zero;
 * the totals of attempts that ended are kept here and the running one's are added when asked.
 */
import type { ApplyProgress } from '../apply/applier.ts';
import type { StreamProgress } from '../provider/provider.ts';

export interface StreamTotals {
  readonly connections: number;
  readonly bytesReceived: number;
  readonly transactions: number;
  readonly replays: number;
  /** By table, as the provider names it. */
  readonly rows: ReadonlyMap<string, RowCounts>;
  readonly conflicts: ReadonlyMap<string, number>;
  readonly phaseMs: Readonly<Record<Phase, number>>;
}

export interface RowCounts {
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  readonly truncate: number;
}

export const phases = ['network', 'decode', 'prepare', 'apply', 'commit'] as const;
export type Phase = (typeof phases)[number];

export const noTotals: StreamTotals = {
  connections: 0,
  bytesReceived: 0,
  transactions: 0,
  replays: 0,
  rows: new Map(),
  conflicts: new Map(),
  phaseMs: { network: 0, decode: 0, prepare: 0, apply: 0, commit: 0 },
};

/** The totals with one attempt's progress added; either may not have begun. */
export function addProgress(
  totals: StreamTotals,
  stream: StreamProgress | null,
  apply: ApplyProgress | null,
): StreamTotals {
  return {
    connections: totals.connections + (stream?.connections ?? 0),
    bytesReceived: totals.bytesReceived + (stream?.bytesReceived ?? 0),
    transactions: totals.transactions + (apply?.transactions ?? 0),
    replays: totals.replays + (apply?.replays ?? 0),
    rows: addRows(totals.rows, apply?.rows ?? new Map<string, RowCounts>()),
    conflicts: addCounts(totals.conflicts, apply?.conflicts ?? new Map<string, number>()),
    phaseMs: {
      network: totals.phaseMs.network + (stream?.phaseMs.network ?? 0),
      decode: totals.phaseMs.decode + (stream?.phaseMs.decode ?? 0),
      prepare: totals.phaseMs.prepare + (apply?.phaseMs.prepare ?? 0),
      apply: totals.phaseMs.apply + (apply?.phaseMs.apply ?? 0),
      commit: totals.phaseMs.commit + (apply?.phaseMs.commit ?? 0),
    },
  };
}

function addRows(
  a: ReadonlyMap<string, RowCounts>,
  b: ReadonlyMap<string, RowCounts>,
): ReadonlyMap<string, RowCounts> {
  const sum = new Map(a);
  for (const [table, counts] of b) {
    const before = sum.get(table);
    sum.set(table, {
      insert: counts.insert + (before?.insert ?? 0),
      update: counts.update + (before?.update ?? 0),
      delete: counts.delete + (before?.delete ?? 0),
      truncate: counts.truncate + (before?.truncate ?? 0),
    });
  }
  return sum;
}

function addCounts(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const sum = new Map(a);
  for (const [name, count] of b) {
    sum.set(name, count + (sum.get(name) ?? 0));
  }
  return sum;
}
