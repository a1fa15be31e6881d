/** Kysely's view of schema `tributary`. Log positions and 64-bit integers are text here, as pg delivers them. */
import { CompiledQuery, Kysely, PostgresDialect, type ColumnType, type Generated } from 'kysely';
import type pg from 'pg';
import type { Query } from './query.ts';

type Json = ColumnType<Record<string, unknown>, string, string>;

export interface TributaryTables {
  readonly node: {
    readonly one: Generated<boolean>;
    readonly name: string;
    readonly created: Generated<Date>;
    readonly publication_nonce: string | null;
  };
  readonly stream: {
    readonly provider: string;
    readonly epoch: string;
    readonly slot: string;
    readonly position: string;
    readonly last_commit: Generated<string | null>;
    readonly system_identifier: string;
    readonly timeline: number;
    readonly publication_oid: string;
    readonly publication_nonce: string;
    readonly incomplete: string | null;
    readonly paused: Generated<boolean>;
    readonly created: Generated<Date>;
    readonly updated: Generated<Date>;
    readonly unwitnessed: Generated<string | null>;
  };
  readonly route: { readonly origin: string; readonly via: string };
  readonly heartbeat: {
    readonly node: string;
    readonly at: Date;
    readonly lsn: string;
    readonly nonce: string;
    readonly version: string;
    readonly topology: string;
    readonly state: Json;
    readonly origins: Generated<Record<string, unknown>>;
  };
  readonly heartbeat_log: {
    readonly nonce: string;
    readonly lsn: string;
    readonly at: Date;
    readonly disk_free: string | null;
  };
  readonly audit: {
    readonly id: string;
    readonly node: string;
    readonly at: Generated<Date>;
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly detail: Json;
  };
  readonly unused_slot: { readonly slot: string; readonly since: Generated<Date> };
  readonly freshness: {
    readonly origin: string;
    readonly through: Date | null;
    readonly complete: boolean;
    readonly reason: string | null;
    readonly via: string;
  };
}

export type TributaryDatabase = Kysely<TributaryTables>;

/** The pool stays the caller's to end. */
export function tributaryDatabase(pool: pg.Pool): TributaryDatabase {
  return new Kysely<TributaryTables>({ dialect: new PostgresDialect({ pool }) }).withSchema(
    'tributary',
  );
}

/** Statements as they are written, over the same pool. */
export function queryOf(database: TributaryDatabase): Query {
  return async (text, values = []) =>
    await database.executeQuery(CompiledQuery.raw(text, [...values]));
}
