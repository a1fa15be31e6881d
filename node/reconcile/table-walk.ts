/**
 * One table of one stream made equal, from where it was interrupted. Rows that are missing here go in at once; keys whose
 * rows would be overwritten or removed are noted, and settled at the end if they are not more than is allowed: one row
 * here may be the last copy of it.
 */
import {
  advanceTable,
  countKeys,
  finishTable,
  forgetKeys,
  noteKeys,
  type ReconcileRow,
  someKeys,
  startTable,
  stopTable,
} from '../database/reconcile-tables.ts';
import type { Key } from '../provider/reader.ts';
import { compareWalk } from './compare-walk.ts';
import { copyWalk } from './copy-walk.ts';
import { keysAtOnce, portions, settle, settleAll } from './settle.ts';
import type { TableSide } from './table-side.ts';

export interface WalkOptions {
  readonly row: Pick<ReconcileRow, 'provider' | 'schema' | 'name'>;
  /** Rows that may be overwritten or removed without a person's word; also 1 % of the subtree's rows here. */
  readonly removals: number;
  /** After each page or chunk: how long it took, milliseconds. */
  readonly pace: (tookMs: number) => Promise<void>;
}

/** gone: it is not wanted any more. */
export type WalkEnd = 'equal' | 'held' | 'gone';

/** A copy is cheaper than a comparison where fewer rows stand here than a quarter of what the provider has. */
const copyBelow = 0.25;

/** @throws TributaryError of provider, apply and this node's own database */
export async function walkTable(side: TableSide, options: WalkOptions): Promise<WalkEnd> {
  const row = await startTable(side.query, options.row, await estimate(side));
  if (!row) {
    return 'gone';
  }
  const adopting = side.stream.scope.adopts !== null && row.reason === 'first_copy';
  const walk = new TableWalk({ ...side, adopting }, { ...options, row });
  return await walk.run();
}

async function estimate({ reader, plan }: TableSide): Promise<number> {
  await using view = await reader.look();
  return await view.estimate(plan.read);
}

interface Walked extends WalkOptions {
  readonly row: ReconcileRow;
}

class TableWalk {
  readonly #side: TableSide;
  readonly #options: Walked;
  #since = performance.now();
  #copied = false;

  constructor(side: TableSide, options: Walked) {
    this.#side = side;
    this.#options = options;
  }

  async run(): Promise<WalkEnd> {
    const { row } = this.#options;
    if (row.reason === 'mend' || row.reason === 'mend_held') {
      // The keys of the plan that a person has seen are noted already.
      return await this.#settleNoted();
    }
    this.#side.stream.parked.compare(row, 'walking');
    if (row.through === null) {
      await forgetKeys(this.#side.query, row, 'all');
    }
    const expected = Math.max(1, (row.estimated ?? 0) - row.walked);
    const here = await this.#side.local.countAfter(row.through, Math.ceil(expected * copyBelow));
    this.#since = performance.now();
    await (this.#wasCopying || here < expected * copyBelow ? this.#copy() : this.#compare());
    return await this.#settleNoted();
  }

  /** It was interrupted; estimates of a table that was never analysed would have it compared from there on. */
  get #wasCopying(): boolean {
    const { through, sent, walked } = this.#options.row;
    return through !== null && 2 * sent > walked;
  }

  async #copy(): Promise<void> {
    const { row } = this.#options;
    this.#copied = true;
    await copyWalk(this.#side, {
      after: row.through,
      standing: async (keys) => await this.#judge(keys),
      written: async (query, { through, rows, bytes }) => {
        await advanceTable(query, row, { through, walked: rows, sent: rows, repaired: 0, bytes });
      },
      pace: async () => await this.#rest(),
    });
  }

  async #compare(): Promise<void> {
    const { row } = this.#options;
    let reached = row.through;
    await compareWalk(this.#side, {
      after: row.through,
      suspicious: async (keys) => await this.#judge(keys),
      walked: async (through, { rows, bytes }) => {
        const walked = { walked: rows, sent: 0, repaired: 0, bytes };
        reached = through ?? reached;
        // crash point: chunk-compared
        await advanceTable(this.#side.query, row, { ...walked, through: reached });
        await this.#rest();
      },
    });
  }

  /** Adds what is missing here and notes what differs. */
  async #judge(keys: readonly Key[]): Promise<void> {
    const { row } = this.#options;
    for (const portion of portions(keys)) {
      const { missing, different, extra, left } = await settle(this.#side, {
        keys: portion,
        changes: 'keep',
        fills: row.fills,
      });
      // What could not be judged for what the stream did to it is judged with what differs.
      const changed = [...different, ...extra, ...left];
      if (changed.length > 0) {
        await noteKeys(this.#side.query, row, changed);
        // crash point: keys-noted
      }
      if (missing.length > 0) {
        await this.#count(missing.length, 0);
      }
    }
  }

  async #settleNoted(): Promise<WalkEnd> {
    const { row } = this.#options;
    const { query } = this.#side;
    // Also while it is held, which may be for days.
    this.#side.stream.parked.compare(row, 'settling');
    const noted = await countKeys(query, row);
    if (noted > this.#options.removals && noted > (await this.#allowed())) {
      await stopTable(query, row, { state: 'held', failure: null });
      return 'held';
    }
    for (;;) {
      const some = await someKeys(query, row, keysAtOnce);
      if (some.length === 0) {
        if (await this.#finish()) {
          return 'equal';
        }
        continue;
      }
      const keys = some.map(({ key }) => key);
      const { missing, different, extra } = await settleAll(this.#side, { keys, changes: 'write' });
      // crash point: keys-settled
      await forgetKeys(query, row, some);
      await this.#count(missing.length, different.length + extra.length);
    }
  }

  async #allowed(): Promise<number> {
    const { row, removals } = this.#options;
    if (row.allowed !== null) {
      return Math.max(row.allowed, removals);
    }
    return Math.max(removals, Math.floor((await this.#side.local.count()) / 100));
  }

  async #count(sent: number, repaired: number): Promise<void> {
    const { row } = this.#options;
    await this.#side.query(
      `update tributary.reconcile set sent = sent + $4, repaired = repaired + $5
       where provider = $1 and schema_name = $2 and table_name = $3`,
      [row.provider, row.schema, row.name, sent + repaired, repaired],
    );
  }

  /**
   * In turn with the parts, so that a changed publication is either before it, and wins, or after. False: a part has noted
   * keys meanwhile.
   */
  async #finish(): Promise<boolean> {
    const { stream, plan, query: ask } = this.#side;
    const { row } = this.#options;
    // crash point: table-equal
    // What was sent before the walk was interrupted may have come by a copy.
    const copied =
      this.#copied || row.reason === 'first_copy' || (row.through !== null && row.sent > 0);
    return await stream.turns.take(async () => {
      if ((await countKeys(ask, row)) > 0) {
        return false;
      }
      await stream.applier.put(
        { relation: plan.relation, present: [], absent: [], expected: 'any', copied },
        async (query) => await finishTable(query, row),
      );
      stream.parked.endComparing(row);
      return true;
    });
  }

  async #rest(): Promise<void> {
    await this.#options.pace(performance.now() - this.#since);
    this.#since = performance.now();
  }
}
