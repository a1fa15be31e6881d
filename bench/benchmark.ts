/** What a benchmark is: it measures, and says in one table and one list of judged figures what came out. */

export interface Benchmark {
  /** As `--only` names it. */
  readonly name: string;
  run(options: BenchOptions, say: (line: string) => void): Promise<Section>;
}

export interface BenchOptions {
  /** Of PostgreSQL, at both ends. */
  readonly major: number;
  /** Rounds in which every side does the same work once; medians are over them. */
  readonly pairs: number;
  /** Multiplies every number of rows; 1: as documented. */
  readonly scale: number;
  /** Names of drains; null: all. */
  readonly workloads: readonly string[] | null;
  /** Numbers of children of the scale benchmark. */
  readonly children: readonly number[];
  /** Seconds each load of the chain, scale and steady benchmarks lasts. */
  readonly seconds: number;
  /** Directory for a processor profile of the measured process; null: none. Profiled figures are no results. */
  readonly profile: string | null;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** How it was measured, as far as a reader needs it to judge the figures. */
  readonly notes: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly targets: readonly Target[];
  /** Every single measurement, for the JSON. */
  readonly measured: readonly object[];
}

export type Cell = string | number | null;

export interface Target {
  readonly what: string;
  readonly value: number;
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number };
}

export function isMet({ value, wanted }: Target): boolean {
  return 'atLeast' in wanted ? value >= wanted.atLeast : value <= wanted.atMost;
}
