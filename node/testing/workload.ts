/** Seeded random work at the leaves of a test tree: several clerks per leaf, each in a session of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { roles } from './database.ts';
import type { NodeDatabase } from './node-database.ts';
import { Random } from './random.ts';
import { type Action, usualWeights, WorkloadSession } from './workload-session.ts';

export interface WorkloadOptions {
  readonly seed: number;
  readonly leaves: readonly { readonly name: string; readonly database: NodeDatabase }[];
  readonly clerksPerLeaf?: number;
  /** Between two transactions of a clerk. */
  readonly pauseMs?: number;
  readonly largeBytes?: number;
  readonly weights?: Partial<Readonly<Record<Action, number>>>;
  /** Transactions per clerk; absent: until told to stop. */
  readonly transactions?: number;
}

/** How often each action was done, by name, and `committed`, `rolledBack`, `savepoint`, `reconnected`. */
export type WorkloadCounts = Readonly<Record<string, number>>;

export class Workload {
  readonly seed: number;
  readonly #options: WorkloadOptions;
  readonly #counts: Record<string, number> = {};

  constructor(options: WorkloadOptions) {
    this.seed = options.seed;
    this.#options = options;
  }

  get counts(): WorkloadCounts {
    return this.#counts;
  }

  /** Until `signal` aborts or every clerk has done its transactions. Lost connections are opened again. */
  async run(signal?: AbortSignal): Promise<void> {
    const random = new Random(this.seed);
    await Promise.all(
      this.#options.leaves.flatMap((leaf) =>
        Array.from({ length: this.#options.clerksPerLeaf ?? 2 }, async (_, at) => {
          const clerk = `${leaf.name}_${at}`;
          await this.#work({ clerk, database: leaf.database, random: random.fork(clerk), signal });
        }),
      ),
    );
  }

  async #work(place: {
    clerk: string;
    database: NodeDatabase;
    random: Random;
    signal: AbortSignal | undefined;
  }): Promise<void> {
    const { clerk, database, random, signal } = place;
    const weights = { ...usualWeights, ...this.#options.weights };
    let session: WorkloadSession | null = null;
    let client: pg.Client | null = null;
    let left = this.#options.transactions ?? Infinity;
    const stopped = (): boolean => signal?.aborted ?? false;
    while (left > 0 && !stopped()) {
      try {
        if (!client) {
          client = await database.client(roles.owner);
          session ??= this.#session(client, clerk, random);
          await session.reconnect(client);
        }
        await session?.transaction(weights);
        left -= 1;
        await pause(random.next() * 2 * (this.#options.pauseMs ?? 20));
      } catch (error) {
        await client?.end().catch(() => {});
        client = null;
        rethrowUnlessConnection(error);
        this.#count('reconnected');
        await pause(100);
      }
    }
    await client?.end().catch(() => {});
  }

  #session(client: pg.Client, clerk: string, random: Random): WorkloadSession {
    return new WorkloadSession(client, {
      name: clerk,
      random,
      largeBytes: this.#options.largeBytes ?? 20_000,
      count: (action) => {
        this.#count(action);
      },
    });
  }

  #count(action: string): void {
    this.#counts[action] = (this.#counts[action] ?? 0) + 1;
  }
}

/** A killed server is part of the work; a statement that is refused is a fault of the test or of ours. */
function rethrowUnlessConnection(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const refused = /^[0-9A-Z]{5}$/.test(code) && !/^(08|40|53|57)/.test(code);
  if (refused) {
    throw error;
  }
}
