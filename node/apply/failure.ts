/** PostgreSQL's and the socket's failures while applying, as the decision they mean. SQLSTATE decides. */
import { passes, type SqlFailure, sqlFailure } from '../database/sqlstate.ts';
import { TributaryError } from '../errors.ts';
import { type ParkCause, tableNameOf } from '../parking/parked-key.ts';
import { driftError } from '../parking/table-drift.ts';

/** A set may fail where one change after the other succeeds, or where it shows which row is at fault. */
export function replayable(error: unknown): boolean {
  const failure = sqlFailure(error);
  return failure?.sqlstate
    ? !passes(failure) && (ofValue(failure) || !notOfRows.test(failure.sqlstate))
    : false;
}

/** Names in the values of regclass, regproc and their like. */
const unknownName = /^(42P01|42883|42704|42725|42602|3F000)/;

/** A value names an object that does not exist here; the statement itself names none that does not. */
function ofValue({ sqlstate, inText }: SqlFailure): boolean {
  return !inText && unknownName.test(sqlstate ?? '');
}

/** One row is at fault, and no other way of storing it will do. */
export function rowFails(error: unknown): boolean {
  return /^(22|23502|23514)/.test(sqlFailure(error)?.sqlstate ?? '');
}

/** The row itself is not what can be stored, whatever stands around it: values and checks, no uniqueness. */
export function failsByItself({ sqlstate }: ParkCause): boolean {
  return sqlstate !== null && (/^(22|23502|23514)/.test(sqlstate) || unknownName.test(sqlstate));
}

/** Privileges, missing tables, transaction and login states, and what PostgreSQL did not expect itself. */
const notOfRows = /^(25|28|3D|3F|42501|42P01|F0|XX)/;

/** The catalogue is not what statements were made from. */
export function catalogueChanged(error: unknown): boolean {
  const failure = sqlFailure(error);
  return failure?.sqlstate ? /^(42(?!501)|0A)/.test(failure.sqlstate) && !ofValue(failure) : false;
}

/** A deadlock, a serialisation failure or a lock that was not given: the whole may succeed at once when repeated. */
export function worthRetrying(error: unknown): boolean {
  const sqlstate = sqlFailure(error)?.sqlstate;
  return sqlstate ? /^(40|55P03)/.test(sqlstate) : false;
}

/**
 * Why a row can not be stored: a failure that will repeat. @throws the error itself where it is not the row's own;
 * TributaryError drifted
 */
export function parkCause(error: unknown, table: string): ParkCause {
  const failure = sqlFailure(error);
  if (!failure?.sqlstate || !replayable(error)) {
    throw error;
  }
  const { sqlstate, column, constraint, type } = failure;
  if (/^(42|0A)/.test(sqlstate) && !ofValue(failure)) {
    const drift = { cause: 'statement', column, type: null, sqlstate } as const;
    throw driftError(tableNameOf(table), drift, { cause: error });
  }
  return { reason: 'row_failed', sqlstate, column, constraint, type };
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
