/** PostgreSQL's and the socket's failures as errors of the catalogue. SQLSTATE decides, never a message's text. */
import { TributaryError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import type { SqlFailure } from '../database/sqlstate.ts';

/** While a connection is opened or asked, or while the stream runs: what is unreachable before is cut afterwards. */
export type Phase = 'asking' | 'making the slot' | 'streaming';

export function providerFailure(error: unknown, provider: string, phase: Phase): TributaryError {
  if (error instanceof TributaryError) {
    return error;
  }
  const failure = sqlFailure(error);
  if (!failure) {
    return new TributaryError('internal', { provider, phase }, { cause: error });
  }
  const { sqlstate, socket, schema, table } = failure;
  const context = { provider, phase, sqlstate, socket, schema, table };
  return new TributaryError(codeOf(failure, phase), context, { cause: error });
}

function codeOf(failure: SqlFailure, phase: Phase): ErrorCode {
  const state = failure.sqlstate;
  const cut = phase === 'streaming' ? 'link_cut' : 'provider_unreachable';
  if (state === null) {
    return cut;
  }
  switch (state) {
    case '55006':
      return 'slot_in_use';
    case '53300':
    case '53400':
      return 'provider_no_slot_free';
    case '55000':
      // While streaming it is a slot that was lost in between: the next proof names it.
      return phase === 'making the slot' ? 'provider_wal_level' : cut;
    case '0A000':
      // From PostgreSQL 16 on a standby makes slots, once its primary or its promotion lets it.
      return phase === 'making the slot' ? 'provider_standby' : 'internal';
    case '55P03':
    case '40P01':
      return phase === 'asking' ? 'provider_busy' : cut;
    case '3D000':
      return 'provider_refused';
    case '42704':
    case '42P01':
    case '42501':
    case '42703':
    case '3F000':
      return 'provider_not_prepared';
    default:
      break;
  }
  if (state.startsWith('28')) {
    return 'provider_refused';
  }
  if (state.startsWith('22') && phase === 'streaming') {
    return 'filter_error';
  }
  return /^(08|40|53|55|57|58)/.test(state) ? cut : 'internal';
}
