/** The verdict: what it says, when it says it, and with which exit code. Pure. */
import type { FaultCounts } from './faults/runner.ts';
import type { Transition } from './health/transitions.ts';
import type { Comparison } from './verdict/verdict.ts';

/** What had to happen for "equal" to prove something, for a run of 60 seconds; shorter runs in proportion. */
export const demanded = { transitions: 500, cuts: 3, kills: 2, seconds: 60 } as const;

export interface Evidence {
  readonly seed: number;
  readonly comparison: Comparison;
  readonly levelReached: boolean;
  readonly falsified: boolean;
  readonly transitions: Readonly<Record<Transition, number>>;
  readonly transactions: number;
  readonly faults: FaultCounts;
  /** Whether faults were asked for; without them none is demanded. */
  readonly faultsWanted: boolean;
  readonly rate: number;
  readonly unexpectedExits: number;
  readonly seconds: {
    readonly start: number;
    readonly load: number;
    readonly level: number;
    readonly total: number;
  };
}

export type VerdictWord = 'equal' | 'different' | 'insufficient';

export interface Report {
  readonly verdict: VerdictWord;
  readonly seed: number;
  readonly transitions: Readonly<Record<Transition, number>>;
  readonly transactions: number;
  readonly cuts: number;
  readonly kills: { readonly nodes: number; readonly databases: number };
  /** Node processes that ended although nobody killed them. */
  readonly unexpectedExits: number;
  readonly levelReached: boolean;
  readonly falsified: boolean;
  /** What was asked for and did not happen; empty unless the verdict is "insufficient". */
  readonly lacking: readonly string[];
  readonly levels: Comparison['levels'];
  readonly differences: Comparison['differences'];
  readonly seconds: Evidence['seconds'];
}

export const exitCodes: Readonly<Record<VerdictWord, number>> = {
  equal: 0,
  different: 1,
  insufficient: 3,
};

export function report(evidence: Evidence): Report {
  const { comparison, faults } = evidence;
  const lacking = lacks(evidence);
  const verdict =
    comparison.differences.length > 0 || !evidence.levelReached
      ? 'different'
      : lacking.length > 0
        ? 'insufficient'
        : 'equal';
  return {
    verdict,
    seed: evidence.seed,
    transitions: evidence.transitions,
    transactions: evidence.transactions,
    cuts: faults.cuts,
    kills: { nodes: faults.nodeKills, databases: faults.databaseKills },
    unexpectedExits: evidence.unexpectedExits,
    levelReached: evidence.levelReached,
    falsified: evidence.falsified,
    lacking,
    levels: comparison.levels,
    differences: comparison.differences,
    seconds: evidence.seconds,
  };
}

function lacks({ transitions, faults, faultsWanted, seconds, rate }: Evidence): string[] {
  const share = Math.min(1, seconds.load / demanded.seconds) * Math.min(1, rate);
  const least = Math.floor(demanded.transitions * share);
  const lacking = Object.entries(transitions)
    .filter(([, count]) => count < least)
    .map(([name, count]) => `${name}: ${count} of ${least}`);
  if (faultsWanted) {
    const kills = faults.nodeKills + faults.databaseKills;
    lacking.push(
      ...(faults.cuts < demanded.cuts ? [`cuts: ${faults.cuts} of ${demanded.cuts}`] : []),
      ...(kills < demanded.kills ? [`kills: ${kills} of ${demanded.kills}`] : []),
    );
  }
  return lacking;
}

/** For people: the verdict as a few lines. */
export function describe(result: Report): string {
  const counts = Object.entries(result.transitions).map(
    ([name, count]) => `${name.replaceAll('_', ' ')} ${count}`,
  );
  return [
    '',
    `verdict: ${result.verdict}`,
    `transitions: ${counts.join(', ')}`,
    `faults: ${result.cuts} cuts, ${result.kills.nodes} nodes and ${result.kills.databases} databases killed`,
    ...result.levels.map(
      ({ level, table, rows, digest }) =>
        `${level.padEnd(9)} ${table.padEnd(18)} ${String(rows).padStart(7)} rows  ${digest.slice(0, 16)}`,
    ),
    ...result.differences.map(
      ({ place, table, missing, surplus, unequal }) =>
        `different at ${place}, ${table}: ${missing} missing, ${surplus} surplus, ${unequal} unequal`,
    ),
    ...result.lacking.map((what) => `too little happened: ${what}`),
    '',
  ].join('\n');
}
