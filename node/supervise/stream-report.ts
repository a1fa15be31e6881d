/** What is known of one stream: for status, metrics and heartbeat. */
import type { ErrorCode, ErrorContext } from '../errors.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Doubt, StreamProgress } from '../provider/provider.ts';
import type { StreamState } from './stream-state.ts';
import { noTotals, type StreamTotals } from './stream-totals.ts';

export interface StreamReport {
  readonly provider: string;
  readonly state: StreamState;
  readonly since: Date;
  /** Why it does not stream; null: it streams, or has not failed yet. */
  readonly failure: StreamFailure | null;
  /** null: not in this process, or the stream never began. */
  readonly position: Lsn | null;
  /** Null while no connection is open. */
  readonly progress: StreamProgress | null;
  readonly totals: StreamTotals;
}

export interface StreamFailure {
  readonly code: ErrorCode;
  readonly context: ErrorContext;
  readonly doubts: readonly Doubt[];
  /** In a row. */
  readonly count: number;
  /** Time of the next attempt; null: under way. */
  readonly retryAt: Date | null;
}

/** A stream no worker of this process carries. */
export function stoppedStream(provider: string, since = new Date()): StreamReport {
  return {
    provider,
    state: 'stopped',
    since,
    failure: null,
    position: null,
    progress: null,
    totals: noTotals,
  };
}
