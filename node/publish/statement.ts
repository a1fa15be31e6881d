/** One step of prepare: commands that commit together, who may run them, and what they cost the application. */

export type Who = 'superuser' | 'owner';

/**
 * none: nothing waits. lock: a lock for a moment, asked for again and again under a timeout, so that the application
 * never waits longer than that timeout. scan: reads the whole table, without a lock that the application feels.
 */
export type Cost = 'none' | 'lock' | 'reload' | 'restart' | 'scan';

export interface Statement {
  readonly commands: readonly string[];
  readonly who: Who;
  readonly cost: Cost;
  readonly why: string;
  /** What it makes whole, such as `trigger zzz_tributary_carry on public.case_report`. */
  readonly object: string;
  /** false: PostgreSQL refuses the command inside a transaction block; then there is exactly one. */
  readonly transaction: boolean;
}

export function statement(
  who: Who,
  cost: Cost,
  text: { readonly why: string; readonly object?: string; readonly commands: readonly string[] },
): Statement {
  return { object: '', ...text, who, cost, transaction: true };
}

/** A command of its own outside any transaction block: alter system, create index concurrently. */
export function alone(
  who: Who,
  cost: Cost,
  text: { readonly why: string; readonly object?: string; readonly command: string },
): Statement {
  const { command, ...rest } = text;
  return { object: '', ...rest, commands: [command], who, cost, transaction: false };
}

/** As a person would type it. */
export function sqlOf(one: Statement): string {
  const lines = one.commands.map((command) => `${command.trim().replace(/;$/, '')};`);
  return one.transaction && lines.length > 1
    ? ['begin;', ...lines, 'commit;'].join('\n')
    : lines.join('\n');
}
