/**
 * What of a PostgreSQL or socket error may be kept and decided by: SQLSTATE and the names of objects. Message, detail
 * and where carry values and are dropped here.
 */
import pg from 'pg';

export interface SqlFailure {
  /** Five characters; null for a failure that never reached PostgreSQL. */
  readonly sqlstate: string | null;
  /** Of a socket or resolver failure, such as ECONNREFUSED; null else. */
  readonly socket: string | null;
  readonly schema: string | null;
  readonly table: string | null;
  readonly column: string | null;
  readonly constraint: string | null;
  readonly type: string | null;
  /** The failure points at a place in the statement's text: it arose before any value was read. */
  readonly inText: boolean;
}

/** Null when the error is neither PostgreSQL's nor a connection's. */
export function sqlFailure(error: unknown): SqlFailure | null {
  if (error instanceof pg.DatabaseError) {
    return {
      sqlstate: error.code ?? null,
      socket: null,
      schema: error.schema ?? null,
      table: error.table ?? null,
      column: error.column ?? null,
      constraint: error.constraint ?? null,
      type: error.dataType ?? null,
      inText: error.position !== undefined || error.internalPosition !== undefined,
    };
  }
  const nothing = {
    sqlstate: null,
    schema: null,
    table: null,
    column: null,
    constraint: null,
    type: null,
    inText: false,
  };
  if (error instanceof AggregateError && error.errors.length > 0) {
    return sqlFailure(error.errors[0]);
  }
  if (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^E[A-Z_]+$/.test(error.code)
  ) {
    return { ...nothing, socket: error.code };
  }
  // pg reports a connection that ended, and one that did not open in time, as plain errors without a code.
  if (
    error instanceof Error &&
    /^(Connection terminated|timeout expired|Query read timeout|timeout exceeded when|Client has encountered a connection error|Client was closed)/.test(
      error.message,
    )
  ) {
    return { ...nothing, socket: 'ECONNRESET' };
  }
  return null;
}

/** Whether the same statement may succeed later by itself: connection, serialisation, resources, lock, operator, system. */
export function passes(failure: SqlFailure): boolean {
  if (failure.sqlstate === null) {
    return true;
  }
  return /^(08|40|53|55P03|55006|57|58)/.test(failure.sqlstate);
}
