/**
 * A slot of ours that the topology file in force does not name holds log for nobody: a parent of before, a name of before.
 * It is named at once, and dropped after a day in which nobody was seen to read it; the day is counted in the database,
 * because a slot tells since when it is unused only from PostgreSQL 17 on.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { itself, writeAudit } from '../database/audit.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface UnusedSlotsOptions {
  /** The node's own, as the writing role. */
  readonly database: TributaryDatabase;
  readonly node: string;
  /** By the file in force; null: the root, which nobody reads. */
  readonly parent: () => string | null;
  readonly log: Log;
  readonly everyMs?: number;
}

interface UnusedSlot {
  readonly slot: string;
  readonly since: Date;
  readonly due: boolean;
}

interface SlotFinding {
  readonly severity: 'warning';
  readonly code: 'slot_unused';
  readonly object: string;
  readonly problem: string;
  readonly advice: string;
}

const byHand = (slot: string): string =>
  `By hand, as a superuser: select pg_drop_replication_slot('${slot}');`;

export class UnusedSlots {
  readonly #options: UnusedSlotsOptions;
  #findings: readonly SlotFinding[] = [];
  #failed = false;

  constructor(options: UnusedSlotsOptions) {
    this.#options = options;
  }

  /** As of the last look. */
  findings(): readonly SlotFinding[] {
    return this.#findings;
  }

  /** Looks every minute until told to stop; a failure of the database is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.look();
        this.#failed = false;
      } catch (error) {
        if (!this.#failed) {
          const { sqlstate } = sqlFailure(error) ?? {};
          this.#options.log.warn({ sqlstate }, 'could not look for slots that nobody uses');
        }
        this.#failed = true;
      }
      await pause(this.#options.everyMs ?? 60_000, undefined, { signal }).catch(() => {});
    }
    this.#findings = [];
  }

  /** One look: names what is unused and drops what has been so for a day. @throws pg.DatabaseError. */
  async look(): Promise<void> {
    const unused = await this.#note();
    const left: SlotFinding[] = [];
    for (const one of unused) {
      const sqlstate = one.due ? await this.#drop(one) : null;
      if (sqlstate !== 'dropped') {
        left.push(findingOf(one, sqlstate));
      }
    }
    this.#findings = left;
  }

  /** What is unused now, with the time since when it has been seen so. */
  async #note(): Promise<readonly UnusedSlot[]> {
    const parent = this.#options.parent();
    const known = parent === null ? '' : `tributary_${parent}`;
    return await this.#options.database.transaction().execute(async (transaction) => {
      const { rows: seen } = await sql<{ slot: string }>`
        select s.slot_name::text as slot
        from pg_catalog.pg_replication_slots s
        where s.database = pg_catalog.current_database()
          and pg_catalog.starts_with(s.slot_name::text, 'tributary_')
          and s.slot_name::text <> ${known}
          and not s.active
          and not s.temporary
      `.execute(transaction);
      const slots = seen.map(({ slot }) => slot);
      await sql`delete from tributary.unused_slot u where u.slot <> all (${slots}::text[])`.execute(
        transaction,
      );
      await sql`
        insert into tributary.unused_slot (slot)
        select s.slot from unnest(${slots}::text[]) as s (slot)
        on conflict (slot) do nothing
      `.execute(transaction);
      const { rows } = await sql<UnusedSlot>`
        select u.slot, u.since, u.since < clock_timestamp() - interval '1 day' as due
        from tributary.unused_slot u
        order by u.slot
      `.execute(transaction);
      return rows;
    });
  }

  /** `dropped`, else the SQLSTATE; null: somebody reads it after all. */
  async #drop({ slot, since }: UnusedSlot): Promise<string | null> {
    const { database, node, log } = this.#options;
    try {
      const deed = { node, actor: itself, action: 'drop_slot', subject: slot };
      await database.transaction().execute(async (transaction) => {
        await writeAudit(transaction, { ...deed, detail: { unusedSince: since.toISOString() } });
        // crash point: drop-audited
        // Last: dropping a slot does not roll back.
        const { rows } = await sql<{ dropped: boolean }>`
          select tributary.drop_unused_slot(${slot}) as dropped
        `.execute(transaction);
        if (!rows[0]?.dropped) {
          throw new TributaryError('slot_in_use', { slot });
        }
      });
      log.warn(
        { slot, since: since.toISOString() },
        'a slot nobody used for a day, and the file does not name, is dropped',
      );
      return 'dropped';
    } catch (error) {
      return sqlFailure(error)?.sqlstate ?? null;
    }
  }
}

function findingOf({ slot, since }: UnusedSlot, sqlstate: string | null): SlotFinding {
  const day = new Date(since.getTime() + 86_400_000).toISOString().slice(0, 16);
  const fate =
    sqlstate === null
      ? `it is dropped after a day unused (${day} UTC)`
      : `it could not be dropped (SQLSTATE ${sqlstate})`;
  return {
    severity: 'warning',
    code: 'slot_unused',
    object: slot,
    problem: `nobody reads this slot, the topology file does not name it, and it holds log: ${fate}`,
    advice: `If a parent still needs it, bring back the file that names it. ${byHand(slot)}`,
  };
}
