/**
 * One connection of the health application at a district. It owns its cases, so that it knows their states. When the
 * database goes away in the middle of a transaction, nobody knows whether that committed: the worker asks the table.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Random } from '../random.ts';
import { possible, type Action, type CaseFile, type State } from './case-file.ts';
import { Desk } from './desk.ts';
import { insertFacility } from './statements.ts';
import { Tally } from './transitions.ts';
import { facility } from './values.ts';

/** So that every transition happens about equally often and the number of open cases stays bounded. */
const weights: Readonly<Record<Action, number>> = {
  report: 1,
  approve: 5,
  add_parts: 0.3,
  approve_parts: 1,
  edit: 1,
  withdraw: 1.5,
  approve_again: 5,
  delete: 0.9,
  delete_draft: 0.15,
};

export interface WorkerOptions {
  readonly url: string;
  /** Names facilities and the random sequence; unique in the country. */
  readonly name: string;
  readonly random: Random;
  readonly tally: Tally;
  /** Mean time between two transactions. */
  readonly pauseMs: number;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #files = new Map<string, CaseFile>();
  readonly #facilities: string[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Works until told to stop; connects again as often as needed. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        if (!isLost(error)) {
          throw error;
        }
        this.#options.tally.retry();
        await pause(250);
      }
    }
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { url, random, pauseMs } = this.#options;
    const client = new pg.Client({ connectionString: url, application_name: 'health' });
    client.on('error', () => {});
    await client.connect();
    try {
      await this.#refresh(client);
      while (!signal.aborted) {
        await this.#transaction(client);
        await pause(random.waiting(pauseMs), undefined, { signal }).catch(() => {});
      }
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** Mostly one to three steps; now and then a long evening's work in one transaction. */
  async #transaction(client: pg.Client): Promise<void> {
    const { random, tally } = this.#options;
    const steps = random.chance(0.03) ? random.integer(15, 40) : random.integer(1, 3);
    const own = new Tally();
    const desk = new Desk(client, random, own);
    const after = new Map<string, CaseFile | null>();
    const opened: string[] = [];
    await client.query('begin');
    if (this.#facilities.length === 0 || random.chance(0.02)) {
      opened.push(await this.#openFacility(client));
    }
    for (let step = 0; step < steps; step += 1) {
      await this.#step(desk, after, opened);
    }
    await client.query('commit');
    this.#facilities.push(...opened);
    for (const [id, file] of after) {
      this.#remember(id, file);
    }
    tally.commit(own);
  }

  async #step(desk: Desk, after: Map<string, CaseFile | null>, opened: string[]): Promise<void> {
    const { random } = this.#options;
    const facilities = [...this.#facilities, ...opened];
    if (random.chance(0.03)) {
      await desk.editFacility(random.pick(facilities));
    }
    const untouched = [...this.#files.values()].filter((file) => !after.has(file.id));
    const crowded = this.#files.size > 120;
    if (untouched.length === 0 || (!crowded && random.chance(0.22))) {
      const file = await desk.report(random.pick(facilities));
      after.set(file.id, file);
      return;
    }
    const file = random.pick(untouched);
    after.set(file.id, await perform(desk, file, this.#choose(file)));
  }

  #choose(file: CaseFile): Action {
    const choice = Object.fromEntries(possible(file).map((action) => [action, weights[action]]));
    return this.#options.random.weighted(choice) as Action;
  }

  async #openFacility(client: pg.Client): Promise<string> {
    const { random, name } = this.#options;
    const values = facility(random, `${name}-${random.uuid().slice(0, 8)}`);
    await client.query(insertFacility, values);
    return String(values[0]);
  }

  #remember(id: string, file: CaseFile | null): void {
    if (file === null) {
      this.#files.delete(id);
    } else {
      this.#files.set(id, file);
    }
  }

  /** What the tables say of the cases this worker knows of. */
  async #refresh(client: pg.Client): Promise<void> {
    const ids = [...this.#files.keys()];
    if (ids.length === 0) {
      return;
    }
    const { rows } = await client.query<{ id: string; table: string; case: string; status: State }>(
      `select id, 'case_report' as table, id as case, status
       from public.case_report where id = any ($1::uuid[])
       union all
       select id, 'laboratory_result', case_report_id, status
       from public.laboratory_result where case_report_id = any ($1::uuid[])
       union all
       select id, 'attachment', case_report_id, status
       from public.attachment where case_report_id = any ($1::uuid[])`,
      [ids],
    );
    this.#files.clear();
    for (const row of rows.filter(({ table }) => table === 'case_report')) {
      const parts = rows
        .filter((part) => part.case === row.id && part.table !== 'case_report')
        .map((part) => ({
          id: part.id,
          table:
            part.table === 'attachment' ? ('attachment' as const) : ('laboratory_result' as const),
          state: part.status,
        }));
      this.#files.set(row.id, { id: row.id, state: row.status, parts });
    }
  }
}

async function perform(desk: Desk, file: CaseFile, action: Action): Promise<CaseFile | null> {
  switch (action) {
    case 'approve':
    case 'approve_again':
      return await desk.approve(file);
    case 'approve_parts':
      return await desk.approveParts(file);
    case 'add_parts':
      return await desk.addParts(file);
    case 'withdraw':
      return await desk.withdraw(file);
    case 'delete':
    case 'delete_draft':
      return await desk.delete(file);
    case 'edit':
      return await desk.edit(file);
    case 'report':
      throw new Error('a new case has no file yet');
    default:
      throw new Error(`unknown action ${String(action satisfies never)}`);
  }
}

/**
 * The database is away or starting: class 08 and 57 of SQLSTATE, or an error of the socket, which has none. Anything else
 * is a fault of this program or of the schema and ends the run.
 */
function isLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    return /^(08|57)/.test(error.code ?? '');
  }
  return error instanceof Error && !(error instanceof TypeError || error instanceof RangeError);
}
