/** What a failure of this node's own database means to the supervisor; SQLSTATE decides. */
import { TributaryError, type ErrorCode } from '../errors.ts';
import { passes, sqlFailure, type SqlFailure } from './sqlstate.ts';

/** The same error when it already is one of ours; `internal` when it is neither ours nor PostgreSQL's. */
export function localError(error: unknown): TributaryError {
  if (error instanceof TributaryError) {
    return error;
  }
  const failure = sqlFailure(error);
  if (!failure) {
    return new TributaryError(
      'internal',
      { error: error instanceof Error ? error.name : typeof error },
      { cause: error },
    );
  }
  const { sqlstate, socket, schema, table } = failure;
  return new TributaryError(codeOf(failure), { sqlstate, socket, schema, table }, { cause: error });
}

function codeOf(failure: SqlFailure): ErrorCode {
  const { sqlstate } = failure;
  if (sqlstate === null || /^(08|57P0|53300)/.test(sqlstate)) {
    return 'database_unreachable';
  }
  if (/^(28|3D000)/.test(sqlstate)) {
    return 'database_refused';
  }
  if (sqlstate === '25006') {
    return 'database_read_only';
  }
  if (sqlstate === '53100') {
    return 'disk_full';
  }
  if (/^(42P01|3F000|42883|42703|42501)/.test(sqlstate)) {
    return 'not_prepared';
  }
  return passes(failure) ? 'local_busy' : 'internal';
}
