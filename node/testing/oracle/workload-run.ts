/** Plays a plan at the provider: one deed after the other, each refused deed undone, so that the same plan does the same. */
import type pg from 'pg';
import type { Oracle } from './oracle.ts';
import { judge, type Verdict } from './play.ts';
import { type Deed, type Plan, sessions } from './workload-plan.ts';
import { workloadSql, workloadStart, workloadTopic } from './workload-topic.ts';

/** What the applications' own constraints and other sessions refuse. */
const refusals = /^(23505|55P03|40P01|40001)$/;

export class WorkloadRun implements AsyncDisposable {
  readonly #oracle: Oracle;
  readonly #sessions: readonly pg.Client[];

  private constructor(oracle: Oracle, clients: readonly pg.Client[]) {
    this.#oracle = oracle;
    this.#sessions = clients;
  }

  static async open(oracle: Oracle): Promise<WorkloadRun> {
    const clients: pg.Client[] = [];
    for (let count = 0; count < sessions; count += 1) {
      const client = await oracle.session(workloadTopic);
      // Whoever holds the lock waits for this one: it would never be given.
      await client.query(`set lock_timeout = '1ms'`);
      clients.push(client);
    }
    return new WorkloadRun(oracle, clients);
  }

  /** From the same rows each time; the verdict after all has arrived. */
  async play({ held, steps }: Plan): Promise<Verdict> {
    await this.#oracle.provider.query(workloadStart);
    if (held) {
      this.#oracle.gate.shut();
    }
    const open = new Set<number>();
    for (const { session, deed } of steps) {
      await this.#do(session, deed, open);
    }
    for (const session of open) {
      await this.#end(session, 'commit');
    }
    await this.#oracle.level();
    const empty = await this.#empty();
    return await judge(this.#oracle, workloadTopic, { title: 'workload', run: [], empty });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sessions.map(async (client) => await client.end()));
  }

  async #do(session: number, deed: Deed, open: Set<number>): Promise<void> {
    if (deed.kind === 'commit' || deed.kind === 'rollback') {
      if (open.delete(session)) {
        await this.#end(session, deed.kind);
      }
      return;
    }
    if (!open.has(session)) {
      await this.#query(session, 'begin; savepoint s');
      open.add(session);
    }
    if (deed.kind === 'change') {
      await this.#change(session, workloadSql(deed.action, deed.id, deed.value));
    } else if (deed.kind === 'savepoint') {
      await this.#query(session, 'savepoint s');
    } else if (deed.kind === 'rollback_to') {
      await this.#query(session, 'rollback to s');
    } else {
      await this.#query(session, 'release s; savepoint s');
    }
  }

  async #change(session: number, sql: string): Promise<void> {
    await this.#query(session, 'savepoint deed');
    try {
      await this.#query(session, sql);
      await this.#query(session, 'release deed');
    } catch (error) {
      if (!refused(error)) {
        throw error;
      }
      await this.#query(session, 'rollback to deed; release deed');
    }
  }

  /** A deferred constraint may refuse the commit. */
  async #end(session: number, how: 'commit' | 'rollback'): Promise<void> {
    try {
      await this.#query(session, how);
    } catch (error) {
      if (!refused(error)) {
        throw error;
      }
      await this.#query(session, 'rollback');
    }
  }

  async #query(session: number, sql: string): Promise<void> {
    await this.#sessions[session]?.query(sql);
  }

  /** Tables of which the workload left no approved row. */
  async #empty(): Promise<string[]> {
    const found: string[] = [];
    for (const { name, approved } of workloadTopic.tables) {
      const { rowCount } = await this.#oracle.provider.query(
        `select from workload.${name} where ${approved ?? 'true'} limit 1`,
      );
      if (rowCount === 0) {
        found.push(name);
      }
    }
    return found;
  }
}

function refused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && refusals.test(String(error.code));
}
