/** What `GET /api/status` says: schema first, so that its readers and its description can not differ from it. */
import { z } from 'zod';
import { parkReasons } from '../parking/parked-key.ts';

const bytes = z.number().nullable();
const problem = z.object({
  code: z.string(),
  text: z.string(),
  advice: z.string(),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export const streamReport = z.object({
  provider: z.string(),
  state: z.enum(['starting', 'proving', 'streaming', 'retrying', 'person', 'paused', 'stopped']),
  since: z.iso.datetime(),
  /** Why it does not stream; null: it does, or has not failed yet. */
  problem: problem.nullable(),
  doubts: z.array(z.object({ name: z.string(), detail: z.record(z.string(), z.unknown()) })),
  /** Doubts that were met by a new slot and a comparison of every table, the latest first. */
  doubtsMet: z.array(z.object({ name: z.string(), count: z.number(), at: z.iso.datetime() })),
  /** Failures in a row. */
  failures: z.number(),
  retryInMs: z.number().nullable(),
  connected: z.boolean(),
  /** Applied and durable here. */
  position: z.string().nullable(),
  received: z.string().nullable(),
  confirmed: z.string().nullable(),
  /** The provider's log not yet applied, as of its last message; null while not connected. */
  lagBytes: bytes,
  queuedBytes: bytes,
  heartbeatAgeSeconds: z.number().nullable(),
  /** Null: the stream never began. */
  complete: z.boolean().nullable(),
  incompleteReason: z.string().nullable(),
  /** Tables that are being made equal, or were: a first copy, a repair. */
  copies: z.array(
    z.object({
      table: z.string(),
      /** wanted, running, held (for a person), failed, done */
      state: z.string(),
      reason: z.string(),
      rows: z.number(),
      estimatedRows: z.number().nullable(),
      sentRows: z.number(),
      repairedRows: z.number(),
      bytes: z.number(),
      seconds: z.number().nullable(),
      /** At the pace so far; null: not under way, or not known. */
      secondsLeft: z.number().nullable(),
    }),
  ),
  /** Tables that were compared with the child's, or are being. */
  verified: z.array(
    z.object({
      table: z.string(),
      /** wanted, running, failed, done */
      state: z.string(),
      rows: z.number(),
      bytes: z.number(),
      /** Everything the child had committed by then was compared; null: never yet. */
      through: z.iso.datetime().nullable(),
      /** Rows that differed by then; null: never yet. */
      differing: z.number().nullable(),
    }),
  ),
  transactionsApplied: z.number(),
  rowsApplied: z.number(),
  /** Keys that are not level here, by table and reason; `tributary parked list` names them. */
  parked: z.array(z.object({ table: z.string(), reason: z.enum(parkReasons), count: z.number() })),
  /** Tables left alone: too many of their keys are parked, or rows of them are impossible here (drifted). */
  blocked: z.array(
    z.object({
      table: z.string(),
      reason: z.enum(['parked', 'drifted']),
      /** Of a drift: what about the table, such as key_column_missing. */
      cause: z.string().nullable(),
      column: z.string().nullable(),
      sqlstate: z.string().nullable(),
      advice: z.string(),
    }),
  ),
  /** Tables whose rows go in without some sent columns, because those do not exist here. */
  partial: z.array(
    z.object({
      table: z.string(),
      columns: z.array(z.string()),
      /** Since the first of them is left out. */
      seconds: z.number(),
      /** The statement that adds them. */
      mend: z.string(),
    }),
  ),
  reconnects: z.number(),
});

export const statusReport = z.object({
  node: z.string(),
  title: z.string(),
  level: z.string(),
  parent: z.string().nullable(),
  version: z.string(),
  /** null: read from the database, without a process. */
  pid: z.number().nullable(),
  at: z.iso.datetime(),
  heartbeatMs: z.number(),
  topology: z.object({
    file: z.string(),
    digest: z.string(),
    valid: z.boolean(),
    problems: z.array(z.string()),
  }),
  leader: z.enum(['connecting', 'waiting', 'leading', 'none']),
  ready: z.boolean(),
  /** Why the node is not ready; null: it is. */
  problem: problem.nullable(),
  database: z.object({ up: z.boolean(), walDirectoryBytes: bytes }),
  streams: z.array(streamReport),
  freshness: z.array(
    z.object({
      origin: z.string(),
      through: z.iso.datetime().nullable(),
      ageSeconds: z.number().nullable(),
      complete: z.boolean(),
      reason: z.string().nullable(),
      via: z.string(),
      retired: z.boolean().meta({ description: 'a closed place: nothing is expected of it' }),
    }),
  ),
  slots: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      active: z.boolean(),
      walStatus: z.string().nullable(),
      retainedBytes: bytes,
      unconfirmedBytes: bytes,
      safeWalBytes: bytes,
    }),
  ),
  disk: z.object({ path: z.string(), totalBytes: z.number(), freeBytes: z.number() }).nullable(),
  /** At the rate of the last day. Null: it does not happen, or is not known yet. */
  forecast: z.object({
    diskSeconds: z.number().nullable(),
    /** How long the link to the parent may be cut from now on. */
    offlineSeconds: z.number().nullable(),
    slots: z.array(z.object({ name: z.string(), seconds: z.number() })),
  }),
  probes: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['http', 'tcp', 'tls', 'postgres']),
      up: z.boolean(),
      reason: z.string().nullable(),
      since: z.iso.datetime(),
      seconds: z.number(),
      certificateExpires: z.iso.datetime().nullable(),
    }),
  ),
  findings: z.array(
    z.object({
      severity: z.enum(['error', 'warning', 'info']),
      code: z.string(),
      object: z.string(),
      problem: z.string(),
      advice: z.string(),
    }),
  ),
});

export type StatusReport = z.infer<typeof statusReport>;
export type StreamStatus = z.infer<typeof streamReport>;
export type StatusProblem = z.infer<typeof problem>;
