/**
 * What the oracle runs: a topic is a schema with its tables and a list of scenarios over them, each run once at the
 * provider and followed by PostgreSQL's own subscriber and by Tributary.
 */
import type pg from 'pg';
import type { Allowance } from './allowances.ts';

export interface Topic {
  /** Name of its schema at all three databases, and in every title. */
  readonly name: string;
  /** Contrib modules it needs, made in schema public. */
  readonly extensions?: readonly string[];
  /** Run at all three with the topic's schema first in the search path; `{major}` differs by server. */
  readonly ddl: string;
  readonly providerDdl?: string;
  /** Run at both subscribers, after `ddl`. */
  readonly subscriberDdl?: string;
  readonly tables: readonly TopicTable[];
  readonly scenarios: readonly Scenario[];
  /** A database of its own: its scenarios stop one of the two subscribers, or change tables for good. */
  readonly alone?: boolean;
  /** The provider's major from which it makes sense. */
  readonly since?: number;
  /** The subscriber's major from which it makes sense. */
  readonly subscriberSince?: number;
  /** binary: the stream is to be binary, as apply decides by itself; default: text. */
  readonly format?: 'binary';
}

export interface TopicTable {
  readonly name: string;
  /** Default: id. */
  readonly key?: readonly string[];
  readonly approved?: string;
  readonly columns?: readonly string[];
  readonly identity?: 'index' | 'full';
  readonly carry?: 'trigger' | 'none';
}

export interface Scenario {
  readonly title: string;
  /** At the provider: statements one after the other in one session, or with as many sessions as it takes. */
  readonly run: readonly string[] | ((stage: Stage) => Promise<void>);
  /** Run at both subscribers before. */
  readonly before?: string;
  /** Run at Tributary's copy alone, after `before`: origins of the rows that stand there. */
  readonly beforeOurs?: string;
  /** Tables that hold no row afterwards; any other empty table is a failure of the scenario. */
  readonly empty?: readonly string[];
  /** Native is known to do otherwise; Tributary is held to the provider's rows all the same. */
  readonly allow?: Allowance;
  /** Keys that Tributary parks: table, key, reason, SQLSTATE and constraint; sorted. */
  readonly parked?: readonly string[];
  /** What the copy lacks of the provider's rows because of them: every line, as it is told or by a pattern. */
  readonly missing?: readonly (string | RegExp)[];
  /** The provider's rows are not what must stand here, for a reason the scenario tells: native alone is the oracle. */
  readonly nativeOnly?: string;
  /** Queries whose rows, as text, must be the same at both subscribers: what the tables alone do not show. */
  readonly alike?: readonly string[];
}

export interface Stage {
  /** A session at the provider, in the topic's schema, under a name; the same name is the same session. */
  session(name: string): Promise<pg.Client>;
  /** Lets both subscribers catch up in the middle of the scenario. */
  level(): Promise<void>;
  /** A statement at both subscribers, in the topic's schema. */
  subscribers(sql: string): Promise<void>;
  /** A statement of an upgrade at the provider, and what `prepare` makes of it. */
  upgraded(sql: string): Promise<void>;
}
