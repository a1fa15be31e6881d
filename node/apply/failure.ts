/** PostgreSQL's and the socket's failures while applying, as the decision they mean. SQLSTATE decides. */
import { passes, type SqlFailure, sqlFailure } from '../database/sqlstate.ts';
import { TributaryError } from '../errors.ts';

/** A set may fail where one change after the other succeeds, or where it shows which row is at fault. */
export function replayable(error: unknown): boolean {
  const sqlstate = sqlFailure(error)?.sqlstate;
  return sqlstate ? /^(21|22|23|P0|42|44|54|0A)/.test(sqlstate) : false;
}

/** The catalogue is not what statements were made from. */
export function catalogueChanged(error: unknown): boolean {
  const sqlstate = sqlFailure(error)?.sqlstate;
  return sqlstate ? /^(42(?!501)|0A)/.test(sqlstate) : false;
}

/** A deadlock, a serialisation failure or a lock that was not given: the whole may succeed at once when repeated. */
export function worthRetrying(error: unknown): boolean {
  const sqlstate = sqlFailure(error)?.sqlstate;
  return sqlstate ? /^(40|55P03)/.test(sqlstate) : false;
}

/** What a failure of a statement about one row means; one that is not the row's own is given back as it is. */
export function rowFailure(error: unknown, table: string): unknown {
  const failure = sqlFailure(error);
  if (!failure?.sqlstate || passes(failure) || /^(42501|42P01|28|XX)/.test(failure.sqlstate)) {
    return error;
  }
  const drift = /^(42|0A)/.test(failure.sqlstate);
  return new TributaryError(
    drift ? 'drifted' : 'row_failed',
    {
      table,
      sqlstate: failure.sqlstate,
      column: failure.column,
      constraint: failure.constraint,
    },
    { cause: error },
  );
}

/** What any failure means to the supervisor. */
export function applyFailure(error: unknown): TributaryError {
  if (error instanceof TributaryError) {
    return error;
  }
  const failure = sqlFailure(error);
  if (!failure) {
    return new TributaryError('internal', {}, { cause: error });
  }
  const { sqlstate, socket, schema, table, constraint } = failure;
  return new TributaryError(
    codeOf(failure),
    { sqlstate, socket, schema, table, constraint },
    { cause: error },
  );
}

function codeOf({ sqlstate }: SqlFailure): TributaryError['code'] {
  if (sqlstate === null || /^(08|57|58|25006|53300)/.test(sqlstate)) {
    return 'database_unreachable';
  }
  if (sqlstate === '53100') {
    return 'disk_full';
  }
  if (/^(28|3D)/.test(sqlstate)) {
    return 'database_refused';
  }
  if (/^(40|53|55)/.test(sqlstate)) {
    return 'local_busy';
  }
  return /^(42501|42P01|3F000)/.test(sqlstate) ? 'not_prepared' : 'internal';
}
