/**
 * Parts of one stream into this node's own database. Between two parts no transaction is open; within one, rows and
 * position commit together, and the position is the fence: where another process moved it or raised the epoch,
 * nothing of the part is here.
 */
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import type { Log } from '../log.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { NewParked } from '../parking/parked-key.ts';
import { ParkedView } from '../parking/parked-view.ts';
import { driftError, driftOfError } from '../parking/table-drift.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Part } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { adopt } from './adopt.ts';
import type { Applier, ApplyProgress, RangeRows } from './applier.ts';
import { encodeTextArray } from './array-codec.ts';
import { type Attempt, Isolated, untilDone } from './attempts.ts';
import { formatFor, type PublishedTable } from './binary-fit.ts';
import { applyFailure } from './failure.ts';
import { parkedOf } from './key-texts.ts';
import { KnownKeys } from './known-keys.ts';
import { Layouts } from './layouts.ts';
import { Offences } from './offences.ts';
import { noteMoved } from './moved-rows.ts';
import { PartEnd } from './part-end.ts';
import { noteParked, notePut, type Noted } from './part-noting.ts';
import { PartJudge } from './part-judge.ts';
import { PartParking } from './part-parking.ts';
import { rangeTransaction } from './range-transaction.ts';
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
  readonly #end: PartEnd;
  readonly #attempts: Parameters<typeof untilDone>[0];
  readonly #phaseMs = { prepare: 0, apply: 0 };
  /** So many slices are sifted at once: bad rows seldom come alone. */
  #siftParts = 0;
  #transactions = 0;
  #parts = 0;
  #replays = 0;

  constructor(options: ApplierOptions, session: Session) {
    this.#options = options;
    this.#session = session;
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
    const forgetTables = (): void => this.forgetTables();
    this.#attempts = { session, forgetTables };
    this.#end = new PartEnd({
      session,
      provider: options.scope.provider,
      epoch: options.epoch,
      position: options.position,
      parked: options.parked,
      known: this.#known,
      layouts: this.#layouts,
      judge: this.#judge,
      log: options.log,
    });
  }

  async apply(part: Part): Promise<Lsn> {
    return await this.#options.parked.exclusive(
      async () =>
        await untilDone(this.#attempts, async (attempt) => {
          try {
            return await this.#applyOnce(part, attempt);
          } catch (error) {
            throw attempt.catalogueFresh && this.#isolates(error) ? new Isolated() : error;
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
        await untilDone(this.#attempts, async (attempt) => {
          await this.#putOnce(rows, within, attempt);
        }),
    );
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
      position: this.#end.position,
      transactions: this.#transactions,
      parts: this.#parts,
      rows: this.#total.rows,
      conflicts: this.#total.conflicts,
      partial: this.#layouts.partial,
      relations: this.#layouts.looked,
      replays: this.#replays,
      phaseMs: { ...this.#phaseMs, commit: this.#end.waitedMs },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  async #applyOnce(part: Part, { catalogueFresh, without }: Attempt): Promise<Lsn> {
    if (part.position <= this.#end.position) {
      return this.#end.position;
    }
    const work = this.#newWork(this.#known, without);
    let begun = false;
    let replays = 0;
    let transactions = 0;
    let publicationChanged = false;
    let ended: Promise<void> | null = null;
    for await (const slice of part.slices()) {
      const fresh = slice.filter(({ endLsn }) => endLsn > this.#end.position);
      if (fresh.length > 0) {
        const started = performance.now();
        await this.#layouts.prepare(fresh);
        await this.#known.prepare(fresh, work.layoutOf);
        const from = this.#siftParts > 0 ? 'sift' : 'insert';
        const ending =
          this.#siftParts === 0 && (await this.#end.mayGoWithRows(fresh, { part, without }))
            ? this.#end.withRows(part.position, work)
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
      ? this.#end.waitFor(ended)
      : this.#end.behindRows(part.position, {
          work,
          without,
          begun,
          carriesCommit: begun,
          publicationChanged,
        }));
    this.#end.reached(part.position);
    this.#total.add(work.tally);
    this.#transactions += part.spooled ? 1 : transactions;
    this.#parts += 1;
    this.#replays += replays;
    return part.position;
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
    { catalogueFresh, without }: Attempt,
  ): Promise<void> {
    const work = { ...this.#newWork(this.#none, without), ordered: expected === 'new' };
    const session = this.#session;
    const { position } = this.#end;
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
    await this.#end.commit(position, {
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
}
