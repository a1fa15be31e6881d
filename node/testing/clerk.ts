/** Who does a workload's work: a name that marks its rows, its own choices, and the database session it works in. */
import type pg from 'pg';
import type { Random } from './random.ts';

export interface Clerk {
  readonly name: string;
  readonly random: Random;
  /** Of a value stored out of line. */
  readonly largeBytes: number;
  run(sql: string, values: unknown[]): Promise<void>;
  rows<R extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<R[]>;
}

/** Incompressible text of twice as many characters as `bytes`. */
export function text(random: Random, bytes: number): string {
  return random.bytes(Math.ceil(bytes)).toString('hex');
}
