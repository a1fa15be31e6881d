/**
 * Parts of one stream into this node's own database. Between two parts no transaction is open; within one, rows and
 * position commit together, and the position is the fence: where another process moved it or raised the epoch,
 * nothing of the part is here.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { type NewParked, tableText } from '../parking/parked-key.ts';
import { ParkedView } from '../parking/parked-view.ts';
import { adviceForDrift, driftError, driftOfError } from '../parking/table-drift.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { adopt } from './adopt.ts';
import type { Applier, ApplyProgress, RangeRows } from './applier.ts';
import { encodeTextArray } from './array-codec.ts';
import { type Committing, commitPosition } from './commit-position.ts';
import { formatFor, type PublishedTable } from './binary-fit.ts';
import { Broken } from './deferred-check.ts';
import { applyFailure, catalogueChanged, worthRetrying } from './failure.ts';
import { parkedOf } from './key-texts.ts';
import { KnownKeys } from './known-keys.ts';
import { Layouts, type Uneven } from './layouts.ts';
import { Offences } from './offences.ts';
import { noteMoved } from './moved-rows.ts';
import { noteParked, notePut, type Noted, noteUneven } from './part-noting.ts';
import { PartJudge } from './part-judge.ts';
import { PartParking } from './part-parking.ts';
import { rangeTransaction } from './range-transaction.ts';
import { retryDelayMs } from './retry.ts';
import { type Query, Session } from './session.ts';
import { changesPublication } from './publication-change.ts';
import { applySlice, begin } from './slice-apply.ts';
import { Tally } from './tally.ts';
import type { Work } from './work.ts';

export interface ApplierOptions {
  /** This node's own database, as the writing role. */
  readonly url: string;
  readonly applicationName: string;
  readonly scope: StreamScope;
  /** The replication set, heartbeat and audit included. Relations outside it are counted and left. */
  readonly tables: readonly ReplicatedTable[];
  /** This node's name. */
  readonly node: string;
  /** As taken over in tributary.stream. */
  readonly epoch: bigint;
  /** As stored in tributary.stream. */
  readonly position: Lsn;
  /** What is parked of this stream; read anew when the applier opens. */
  readonly parked: ParkedView;
  readonly log: Log;
  readonly lockTimeoutMs?: number;
}

/** Opens the connection. @throws TributaryError database_unreachable | database_refused */
export async function openApplier(options: ApplierOptions): Promise<Applier> {
  try {
    const session = await Session.open({
      url: options.url,
      applicationName: options.applicationName,
      lockTimeoutMs: options.lockTimeoutMs ?? 5000,
    });
    await options.parked.load(session.query);
    return new DirectApplier(options, session);
  } catch (error) {
    throw applyFailure(error);
  }
}

/** Of so few changes a statement that tells by itself whether it fits costs less than a round trip. */
const endsAtOnce = 64;

/** Slices that are sifted after one with bad rows, until so many in a row had none. */
const sievedSlices = 4;

class DirectApplier implements Applier {
  readonly #options: ApplierOptions;
  readonly #session: Session;
  readonly #layouts: Layouts;
  /** Of parked keys the stream changes nothing. */
  readonly #known: KnownKeys;
  /** Rows put beside the stream are taken whether their key is parked or not. */
  readonly #none: KnownKeys;
  readonly #judge: PartJudge;
  readonly #origins: Buffer;
  /** Without so many that are awaited; their number only falls. */
  #removable: { readonly awaited: number; readonly encoded: Buffer };
  readonly #offences = new Offences();
  readonly #total = new Tally();
  readonly #phaseMs = { prepare: 0, apply: 0, commit: 0 };
  #position: Lsn;
  /** So many slices are sifted at once: bad rows seldom come alone. */
  #siftParts = 0;
  #transactions = 0;
  #parts = 0;
  #replays = 0;

  constructor(options: ApplierOptions, session: Session) {
    this.#options = options;
    this.#session = session;
    this.#position = options.position;
    this.#judge = new PartJudge(options.tables, session.query);
    this.#known = new KnownKeys(options.parked, session.query);
    this.#none = new KnownKeys(new ParkedView(options.scope.provider), session.query);
    this.#origins = encodeTextArray([...options.scope.subtree]);
    this.#removable = { awaited: 0, encoded: this.#origins };
    this.#layouts = new Layouts({
      query: session.query,
      scope: options.scope,
      tables: options.tables,
      log: options.log,
    });
  }

  async apply(part: Part): Promise<Lsn> {
    return await this.#options.parked.exclusive(
      async () =>
        await this.#untilDone(async (again) => {
          try {
            return await this.#applyOnce(part, again);
          } catch (error) {
            throw again.catalogueFresh && this.#isolates(error) ? new Isolated() : error;
          }
        }),
    );
  }

  /** Whether a table was at fault, which is left out from now on. */
  #isolates(error: unknown): boolean {
    const drift = driftOfError(error);
    if (drift) {
      this.#layouts.refuse(drift.table, drift.drift);
    }
    return drift !== null;
  }

  forgetTables(): void {
    this.#layouts.forget();
    this.#judge.reload();
    this.#session.forgetPlans();
  }

  async put(rows: RangeRows, within: (query: Query) => Promise<void>): Promise<void> {
    await this.#options.parked.exclusive(
      async () =>
        await this.#untilDone(async (again) => {
          await this.#putOnce(rows, within, again);
        }),
    );
  }

  /** Repeats the whole local transaction while it fails by what passes, or by keys it can do without. */
  async #untilDone<T>(once: (again: Again) => Promise<T>): Promise<T> {
    let catalogueFresh = false;
    const without: NewParked[] = [];
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await once({ catalogueFresh, without });
      } catch (error) {
        await this.#rollback();
        const broken = error instanceof Broken ? error.besides(without) : [];
        if (broken.length > 0) {
          without.push(...broken);
          continue;
        }
        if (error instanceof Isolated) {
          continue;
        }
        if ((catalogueChanged(error) || driftOfError(error)) && !catalogueFresh) {
          catalogueFresh = true;
          this.forgetTables();
          continue;
        }
        const delayMs = worthRetrying(error) ? retryDelayMs(attempt, Math.random()) : null;
        if (delayMs === null || this.#session.lost) {
          throw this.#session.lost ? lost(error) : applyFailure(error);
        }
        await pause(delayMs);
      }
    }
  }

  async format(tables: readonly PublishedTable[]): Promise<'text' | 'binary'> {
    try {
      return await formatFor(tables, this.#options.tables, this.#session.query);
    } catch (error) {
      throw applyFailure(error);
    }
  }

  progress(): ApplyProgress {
    return {
      position: this.#position,
      transactions: this.#transactions,
      parts: this.#parts,
      rows: this.#total.rows,
      conflicts: this.#total.conflicts,
      partial: this.#layouts.partial,
      relations: this.#layouts.looked,
      replays: this.#replays,
      phaseMs: { ...this.#phaseMs },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  async #applyOnce(part: Part, { catalogueFresh, without }: Again): Promise<Lsn> {
    if (part.position <= this.#position) {
      return this.#position;
    }
    const work = this.#newWork(this.#known, without);
    let begun = false;
    let replays = 0;
    let transactions = 0;
    let publicationChanged = false;
    let ended: Promise<void> | null = null;
    for await (const slice of part.slices()) {
      const fresh = slice.filter(({ endLsn }) => endLsn > this.#position);
      if (fresh.length > 0) {
        const started = performance.now();
        await this.#layouts.prepare(fresh);
        await this.#known.prepare(fresh, work.layoutOf);
        const from = this.#siftParts > 0 ? 'sift' : 'insert';
        const ending = (await this.#mayEndWith(fresh, { part, without }))
          ? this.#ending(part.position, work)
          : null;
        const result = await applySlice(fresh, {
          session: this.#session,
          work,
          first: !begun,
          catalogueFresh,
          from,
          ...(ending && { ending: ending.send }),
        });
        if (!result.replayed) {
          ended = ending?.sent() ?? null;
        }
        await this.#judge.note(fresh, work);
        await noteMoved(fresh, work, this.#options.parked);
        this.#expectBadRows(from, { ...result, refused: work.parking.refused.length > 0 });
        this.#phaseMs.apply += performance.now() - started;
        begun = true;
        if (part.spooled) {
          // crash point: slice-written
          // The rows of all slices would not fit in memory.
          work.unenforced.forEach((_, layout) => work.unenforced.set(layout, 'all'));
        }
        publicationChanged ||= changesPublication(fresh);
        replays += result.replayed ? 1 : 0;
        transactions += part.spooled ? 0 : fresh.length;
      }
    }
    this.#phaseMs.prepare += work.spent.prepareMs;
    this.#phaseMs.apply -= work.spent.prepareMs;
    await (ended
      ? this.#committed(ended)
      : this.#end(part.position, {
          work,
          without,
          begun,
          carriesCommit: begun,
          publicationChanged,
        }));
    this.#position = part.position;
    this.#total.add(work.tally);
    this.#transactions += part.spooled ? 1 : transactions;
    this.#parts += 1;
    this.#replays += replays;
    return part.position;
  }

  /**
   * Whether position and commit may leave with the rows, which saves a small part a round trip: nothing is to be asked or
   * noted of them once they are in.
   */
  async #mayEndWith(
    transactions: readonly Transaction[],
    { part, without }: { readonly part: Part; readonly without: readonly NewParked[] },
  ): Promise<boolean> {
    const changes = transactions.reduce((sum, each) => sum + each.changes.length, 0);
    return (
      !part.spooled &&
      changes <= endsAtOnce &&
      without.length === 0 &&
      this.#siftParts === 0 &&
      this.#known.quiet &&
      !this.#options.parked.compares &&
      this.#layouts.uneven.length === 0 &&
      !changesPublication(transactions) &&
      !(await this.#judge.concerns(transactions))
    );
  }

  #ending(position: Lsn, { parking }: Work): Ending {
    let sent: Promise<void> | null = null;
    return {
      send: () => {
        if (parking.refused.length === 0 && !parking.suspends) {
          const committing = { begun: true, carriesCommit: true, publicationChanged: false };
          sent = this.#sendCommit(position, { ...committing, completeness: [] });
          // Where the rows did not go in, it only follows them.
          sent.catch(() => {});
        }
      },
      sent: () => sent,
    };
  }

  /** What is to be told of the rows, noted with position and commit. */
  async #end(position: Lsn, { work, without, ...committing }: Finishing): Promise<void> {
    await this.#judge.judge(work, { without, parked: this.#options.parked });
    const refused = await parkedOf(work.parking.refused, work.query);
    const noted = noteParked([...refused, ...without], this.#options.parked, work.query);
    const uneven = this.#layouts.uneven.filter(
      ({ table, drift }) => !drift || !this.#options.parked.isBlocked(tableText(table)),
    );
    const unlike = noteUneven(uneven, this.#options.parked, work.query);
    // crash point: rows-written
    await this.#commit(position, {
      ...committing,
      completeness: [...noted.sent, ...unlike.sent],
    });
    noted.committed();
    unlike.committed();
    this.#saySo(uneven);
    this.#layouts.noted();
  }

  #saySo(uneven: readonly Uneven[]): void {
    for (const { table, drift } of uneven) {
      if (drift) {
        const { cause, column, sqlstate } = drift;
        const advice = adviceForDrift(table, drift);
        this.#options.log.warn(
          { table: tableText(table), cause, column, sqlstate, advice },
          'rows of a table are impossible here: its changes are left out, and it comes back by itself once it is mended',
        );
      }
    }
  }

  /** Sifting goes on for a while after rows were at fault, and ends when none is found. */
  #expectBadRows(
    from: 'insert' | 'sift',
    { sifted, refused }: { readonly sifted: boolean; readonly refused: boolean },
  ): void {
    if (from === 'insert') {
      this.#siftParts = sifted ? sievedSlices : 0;
    } else {
      this.#siftParts = refused ? sievedSlices : this.#siftParts - 1;
    }
    if (this.#siftParts === 0) {
      this.#offences.forget();
    }
  }

  async #putOnce(
    { relation, present, absent, expected, copied = false, adopting = false }: RangeRows,
    within: (query: Query) => Promise<void>,
    { catalogueFresh, without }: Again,
  ): Promise<void> {
    const work = { ...this.#newWork(this.#none, without), ordered: expected === 'new' };
    const session = this.#session;
    const position = this.#position;
    const sets = [
      rangeTransaction(relation, 'delete', { tuples: absent, position }),
      rangeTransaction(relation, 'insert', { tuples: present, position }),
    ].filter(({ changes }) => changes.length > 0);
    await this.#layouts.look(relation);
    const drift = this.#layouts.driftOf(relation);
    if (drift) {
      throw driftError(relation, drift);
    }
    await this.#none.prepare(sets, work.layoutOf);
    let first = true;
    let adopted = 0;
    const layout = work.layoutOf(relation);
    if (adopting && layout) {
      await session.command(begin);
      adopted = await adopt(layout, present, work);
      first = false;
    }
    for (const set of sets) {
      const from = expected === 'new' ? 'insert' : 'upsert';
      await applySlice([set], { session, work, first, catalogueFresh, from });
      first = false;
    }
    if (first) {
      await session.command(begin);
    }
    await this.#judge.note(sets, work);
    // A copy is judged when the table is through: rows of it may refer to later ones.
    await this.#judge.judge(work, { without, waits: expected === 'any' });
    const taken = copied ? await this.#judge.takeOut(relation, work) : [];
    const put = await this.#notePut([...present, ...absent], { relation, work, without });
    const out = noteParked(taken, this.#options.parked, work.query);
    await within(session.query);
    await this.#commit(position, {
      begun: true,
      carriesCommit: false,
      publicationChanged: false,
      completeness: [...put.sent, ...out.sent],
    });
    put.committed();
    out.committed();
    if (layout) {
      this.#total.conflict('adopted', layout.table, adopted);
    }
  }

  /** In the transaction of the rows: those that went in are parked no more, those that did not are. */
  async #notePut(
    tuples: readonly Tuple[],
    { relation, work, without }: { relation: Relation; work: Work; without: readonly NewParked[] },
  ): Promise<Noted> {
    const { query, parking, layoutOf } = work;
    const layout = layoutOf(relation);
    const refused = [...(await parkedOf(parking.refused, query)), ...without];
    return await notePut({ layout, tuples, refused }, this.#options.parked, query);
  }

  #newWork(known: KnownKeys, without: readonly NewParked[]): Work {
    known.without(without);
    this.#judge.forget();
    const parking = new PartParking(known);
    const session = this.#session;
    return {
      query: session.query,
      copy: session.copy,
      command: async (text) => await session.command(text),
      scope: this.#options.scope,
      origins: this.#origins,
      removable: this.#removableOrigins(),
      layoutOf: (relation) => this.#layouts.of(relation),
      isDrifted: (relation) => this.#layouts.driftOf(relation) !== null,
      tally: new Tally(),
      spent: { prepareMs: 0 },
      ordered: false,
      unenforced: new Map(),
      parking,
      taking: parking,
      refuse: (refused) => parking.refuse(refused),
      offences: this.#offences,
    };
  }

  #removableOrigins(): Buffer {
    const { subtree, awaited } = this.#options.scope;
    if (awaited.size !== this.#removable.awaited) {
      const names = [...subtree].filter((name) => !awaited.has(name));
      this.#removable = { awaited: awaited.size, encoded: encodeTextArray(names) };
    }
    return this.#removable.encoded;
  }

  async #commit(position: Lsn, committing: Committing): Promise<void> {
    await this.#committed(this.#sendCommit(position, committing));
  }

  async #sendCommit(to: Lsn, committing: Committing): Promise<void> {
    const { scope, epoch } = this.#options;
    const fence = { provider: scope.provider, epoch, from: this.#position, to };
    await commitPosition(this.#session, fence, committing);
  }

  async #committed(sent: Promise<void>): Promise<void> {
    const started = performance.now();
    try {
      await sent;
    } finally {
      this.#phaseMs.commit += performance.now() - started;
    }
  }

  async #rollback(): Promise<void> {
    if (!this.#session.lost) {
      // Outside a transaction it is a warning only; over a broken connection the next statement tells.
      await this.#session.command('rollback').catch(() => {});
    }
  }
}

/** The part is applied again without a table. */
class Isolated extends Error {}

interface Ending {
  readonly send: () => void;
  /** Null: it was not. */
  readonly sent: () => Promise<void> | null;
}

interface Finishing extends Omit<Committing, 'completeness'> {
  readonly work: Work;
  readonly without: readonly NewParked[];
}

interface Again {
  readonly catalogueFresh: boolean;
  /** Keys the transaction is applied without. */
  readonly without: readonly NewParked[];
}

/** With the connection gone every other failure is only its consequence. */
function lost(error: unknown): TributaryError {
  return error instanceof TributaryError
    ? error
    : new TributaryError('database_unreachable', {}, { cause: error });
}
