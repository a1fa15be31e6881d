/** Who did what: rows of tributary.audit, which travel upstream like data. Names and numbers only, never a row's value. */
import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import type { TributaryDatabase } from './tables.ts';

export interface Deed {
  /** Where it was done. */
  readonly node: string;
  /** A person as the command line knows them (`user at host`), or `tributary` for what the node did by itself. */
  readonly actor: string;
  /** Such as `pause`. */
  readonly action: string;
  /** The stream, slot or file it was done to. */
  readonly subject: string;
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>;
}

/** What the node does by itself. */
export const itself = 'tributary';

const keptDays = 400;
const keptAtMost = 100_000;

/** In the transaction of the deed itself, so that there is none without the other. */
export async function writeAudit(database: TributaryDatabase, deed: Deed): Promise<void> {
  await database
    .insertInto('audit')
    .values({
      id: uuid(),
      node: deed.node,
      actor: deed.actor.slice(0, 200),
      action: deed.action,
      subject: deed.subject,
      detail: JSON.stringify(deed.detail ?? {}),
    })
    .execute();
}

/** Forgets this node's own rows after 400 days, or beyond 100,000; those of other nodes are theirs to forget. */
export async function purgeAudit(database: TributaryDatabase, node: string): Promise<void> {
  await sql`
    delete from tributary.audit a
    where a.node = ${node}
      and (
        a.at < now() - make_interval(days => ${keptDays})
        or a.id in (
          select b.id
          from tributary.audit b
          where b.node = ${node}
          order by b.at desc
          offset ${keptAtMost}
        )
      )
  `.execute(database);
}
