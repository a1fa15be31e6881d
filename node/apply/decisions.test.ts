/** The pure decisions of apply that need no database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { applyFailure, catalogueChanged, parkCause, replayable, worthRetrying } from './failure.ts';
import { failsWith } from '../testing/fails-with.ts';
import { retryDelayMs } from './retry.ts';
import { canTake, fitsBinary } from './type-fit.ts';

function databaseError(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('secret value', 1, 'error');
  error.code = code;
  return error;
}

void test('SQLSTATE decides what a failure means', () => {
  for (const [sqlstate, code] of [
    ['53100', 'disk_full'],
    ['55P03', 'local_busy'],
    ['40P01', 'local_busy'],
    ['57P01', 'database_unreachable'],
    ['08006', 'database_unreachable'],
    ['58030', 'database_unreachable'],
    ['53300', 'database_unreachable'],
    ['28P01', 'database_refused'],
    ['42501', 'not_prepared'],
    ['XX000', 'internal'],
  ] as const) {
    assert.equal(applyFailure(databaseError(sqlstate)).code, code, sqlstate);
  }
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  assert.equal(applyFailure(refused).code, 'database_unreachable');
  assert.equal(applyFailure(new TypeError('x')).code, 'internal');
});

void test('only failures that a row can be at fault for are replayed', () => {
  for (const sqlstate of ['21000', '22001', '23505', 'P0001', 'MY001', '54000', '42703']) {
    assert.equal(replayable(databaseError(sqlstate)), true, sqlstate);
  }
  for (const sqlstate of ['40001', '55P03', '53100', '57P01', '08006', '42501', '25P02', 'XX001']) {
    assert.equal(replayable(databaseError(sqlstate)), false, sqlstate);
  }
});

void test('a failure that passes is never taken for the row', () => {
  const deadlock = databaseError('40P01');
  assert.throws(() => parkCause(deadlock, 'public.visit'), deadlock);
  assert.equal(worthRetrying(deadlock), true);
  const cause = parkCause(databaseError('23505'), 'public.visit');
  assert.deepEqual([cause.reason, cause.sqlstate], ['row_failed', '23505']);
  assert.doesNotMatch(JSON.stringify(cause), /secret/);
});

void test('a name that a value holds and nobody here knows is the row; one that the statement holds is not', () => {
  assert.equal(parkCause(databaseError('42P01'), 'public.visit').sqlstate, '42P01');
  const missing = Object.assign(databaseError('42P01'), { position: '8' });
  assert.throws(() => parkCause(missing, 'public.visit'), missing);
  assert.equal(catalogueChanged(missing), true);
  assert.equal(catalogueChanged(databaseError('42P01')), false);
});

void test('a failure of a statement is drift, not the row', () => {
  assert.throws(
    () => parkCause(databaseError('42804'), 'public.visit'),
    failsWith('drifted', { table: 'public.visit', sqlstate: '42804' }),
  );
});

void test('retries wait longer each time, and end', () => {
  const delays = Array.from({ length: 8 }, (_, attempt) => retryDelayMs(attempt, 0.5));
  assert.deepEqual(delays, [20, 40, 80, 160, 320, 640, null, null]);
});

void test('a type takes what it can keep whole', () => {
  for (const [sent, local] of [
    [23, 20],
    [20, 23],
    [23, 1700],
    [2950, 25],
    [1114, 1184],
    [25, 1082],
    [16_999, 17_001],
    [16_999, 25],
  ] as const) {
    assert.equal(canTake(sent, local), true, `${sent} into ${local}`);
  }
  for (const [sent, local] of [
    [1114, 1082],
    [1184, 1082],
    [701, 700],
    [1700, 701],
    [701, 23],
    [2950, 23],
    [16_999, 23],
    [25, 18],
    [25, 19],
    [16_999, 19],
  ] as const) {
    assert.equal(canTake(sent, local), false, `${sent} into ${local}`);
  }
});

void test('the binary form is for the same type on both sides, and none whose bytes mean different things', () => {
  assert.equal(fitsBinary(2950, 2950), true);
  assert.equal(fitsBinary(23, 20), false);
  for (const oid of [26, 2205, 1186, 790, 1007, 16_999]) {
    assert.equal(fitsBinary(oid, oid), false, String(oid));
  }
});
