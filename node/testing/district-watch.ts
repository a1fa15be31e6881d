/**
 * A district at which rows are entered and edited, and never removed, and what the nation shows of them meanwhile: never
 * fewer than before, and where it says that they are complete through a time, all that were committed before it.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Background } from './background.ts';
import { roles } from './database.ts';
import type { NodeDatabase } from './node-database.ts';

export interface DistrictWatchOptions {
  /** The district's name. */
  readonly origin: string;
  readonly district: NodeDatabase;
  readonly nation: NodeDatabase;
  /** Between two rows. */
  readonly everyMs?: number;
}

/** Marks its rows, in `entered_by`. */
const mark = 'kept';

export class DistrictWatch implements AsyncDisposable {
  readonly #options: DistrictWatchOptions;
  /** By number of the row: this machine's clock after its commit. */
  readonly #committed: number[] = [];
  readonly #entering: Background;
  readonly #looking: Background;
  #shown = 0;
  #failure: Error | null = null;
  #looks = 0;
  #complete = 0;

  constructor(options: DistrictWatchOptions) {
    this.#options = options;
    this.#entering = new Background(async (signal) => await this.#enter(signal));
    this.#looking = new Background(async (signal) => {
      try {
        await this.#look(signal);
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        throw error;
      }
    });
  }

  /** Rows committed at the district. */
  get entered(): number {
    return this.#committed.length;
  }

  /** Rows the nation showed last. @throws once a look was not as it should be. */
  get shown(): number {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    return this.#shown;
  }

  /** How often it was looked, and how often the origin was complete then. */
  get looks(): { readonly all: number; readonly complete: number } {
    return { all: this.#looks, complete: this.#complete };
  }

  /** No more rows are entered. @throws what failed while they were. */
  async stopEntering(): Promise<void> {
    await this.#entering.stop();
  }

  /** @throws the first look that was not as it should be. */
  async stop(): Promise<void> {
    await this.#entering.stop();
    await this.#looking.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#entering[Symbol.asyncDispose]();
    await this.#looking[Symbol.asyncDispose]();
  }

  async #enter(signal: AbortSignal): Promise<void> {
    const { district, everyMs = 50 } = this.#options;
    const client = await district.client(roles.owner);
    try {
      while (!signal.aborted) {
        await client.query(
          `insert into public.case_report (id, status, entered_by, note)
           select gen_random_uuid(), 'approved', '${mark}', 'n' || n from generate_series(1, 3) n`,
        );
        const at = Date.now();
        this.#committed.push(at, at, at);
        await client.query(
          `update public.case_report set note = note || '.'
           where id in (select id from public.case_report where entered_by = '${mark}' order by random() limit 2)`,
        );
        await pause(everyMs);
      }
    } finally {
      await client.end();
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { nation, origin } = this.#options;
    const client = await nation.client();
    try {
      while (!signal.aborted) {
        const { rows } = await client.query<{ rows: number; through: number | null }>(
          `select
             (select count(*)::int from public.case_report where entered_by = '${mark}' and tributary_origin = $1) as rows,
             (select extract(epoch from f.through)::float8 * 1000 from tributary.freshness f where f.origin = $1 and f.complete) as through`,
          [origin],
        );
        this.#judge(rows[0]?.rows ?? 0, rows[0]?.through ?? null);
        await pause(10);
      }
    } finally {
      await client.end();
    }
  }

  #judge(rows: number, through: number | null): void {
    const before = this.#shown;
    assert.ok(rows >= before, `the nation fell from ${before} to ${rows} rows of the district`);
    this.#shown = rows;
    this.#looks += 1;
    if (through !== null) {
      this.#complete += 1;
      // The heartbeat's time is taken before its commit; a row committed just then may be behind it.
      const due = this.#committed.findLastIndex((at) => at < through) + 1;
      const what = `complete through a time before which ${due} rows were committed`;
      assert.ok(rows >= due, `the nation says ${what}, and shows ${rows}`);
    }
  }
}
