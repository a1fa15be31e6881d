/** The pure decisions of this room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { noLsn, parseLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { providerFailure } from './failure.ts';
import { keepalivePartDue, standbyStatus, statusIntervalMs } from './feedback.ts';
import { isSilent, silenceLimitMs } from './liveness.ts';
import { doubtsOf } from './proof.ts';
import type { ProviderFacts } from './proof.ts';
import { parseHistory } from './proof-facts.ts';
import type { KnownProvider } from './provider.ts';
import { ReadPace } from './read-pace.ts';

const at = (value: number): Lsn => BigInt(value) as Lsn;

void test('a status says exactly what is durable, not one byte more, and never less written than flushed', () => {
  const status = standbyStatus(
    { received: at(0x1_0000_0010), confirmed: at(0x1_0000_0008) },
    { nowMs: Date.UTC(2000, 0, 1) + 1, ask: true },
  );
  assert.equal(status.length, 34);
  assert.equal(
    status.toString('hex'),
    '7200000001000000100000000100000008000000010000000800000000000003e801',
  );
  const behind = standbyStatus(
    { received: at(5), confirmed: at(9) },
    { nowMs: Date.UTC(2026, 0, 1), ask: false },
  );
  assert.equal(behind.readBigUInt64BE(1), 9n);
  assert.equal(behind[33], 0);
});

void test('a status goes out at a third of wal_sender_timeout, at most every 10 s', () => {
  assert.equal(statusIntervalMs(60_000), 10_000);
  assert.equal(statusIntervalMs(6000), 2000);
  assert.equal(statusIntervalMs(0), 10_000);
});

void test('silence counts only while we read', () => {
  assert.equal(silenceLimitMs(0), 60_000);
  assert.equal(isSilent({ sinceHeardMs: 901, limitMs: 900, paused: false }), true);
  assert.equal(isSilent({ sinceHeardMs: 900, limitMs: 900, paused: false }), false);
  assert.equal(isSilent({ sinceHeardMs: 9000, limitMs: 900, paused: true }), false);
});

function due(idle: number | null, delivered: number, sinceDeliveredMs: number): boolean {
  return keepalivePartDue({
    wanted: noLsn,
    idle: idle === null ? null : at(idle),
    delivered: at(delivered),
    sinceDeliveredMs,
  });
}

void test('a keepalive becomes a part every 10 s or 16 MB of log, never without progress', () => {
  assert.equal(due(null, 0, 1e9), false);
  assert.equal(due(7, 7, 1e9), false);
  assert.equal(due(8, 7, 9999), false);
  assert.equal(due(8, 7, 10_000), true);
  assert.equal(due(7 + (16 << 20), 7, 0), true);
});

void test('an idle stream is never delayed, a busy one is read in chunks, a full read is followed at once', () => {
  const idle = new ReadPace();
  for (let i = 0; i < 100; i += 1) {
    assert.equal(idle.afterTurn(300, i * 1.5), 0);
  }
  const busy = new ReadPace();
  let now = 0;
  while (busy.afterTurn(300, now) === 0) {
    now += 0.1;
    assert.ok(now < 5);
  }
  assert.equal(busy.afterTurn(64 * 1024, now + 5), 0);
  assert.equal(busy.afterTurn(9000, now + 5), 5);
  assert.equal(busy.afterTurn(100, now + 10), 0);
});

const known: KnownProvider = {
  node: 'north',
  systemIdentifier: '1',
  timeline: 1,
  publicationOid: 9,
  publicationNonce: 'n',
  slot: 'tributary_nation',
  position: at(100),
  witness: { nonce: 'w', lsn: at(90) },
};
const same: ProviderFacts = {
  node: 'north',
  systemIdentifier: '1',
  timeline: 1,
  database: 'd',
  publication: { oid: 9, nonce: 'n' },
  logEnd: at(100),
  slot: { plugin: 'pgoutput', database: 'd', walStatus: 'reserved', confirmed: at(100) },
  knownTimelineEnd: null,
  witnessLsn: at(90),
  unconfirmed: null,
};

function doubts(facts: Partial<ProviderFacts>): string[] {
  return doubtsOf(known, { ...same, ...facts }).map((doubt) => doubt.name);
}

void test('the provider that was known, where it was, raises no doubt', () => {
  assert.deepEqual(doubts({}), []);
  assert.deepEqual(doubts({ timeline: 3, knownTimelineEnd: at(100) }), []);
  assert.deepEqual(doubtsOf({ ...known, witness: null }, { ...same, witnessLsn: null }), []);
});

void test('each difference raises its doubt', () => {
  const { slot } = same;
  assert.ok(slot);
  const cases: [Partial<ProviderFacts>, string][] = [
    [{ node: 'south' }, 'node_name_differs'],
    [{ systemIdentifier: '2' }, 'system_identifier_differs'],
    [{ timeline: 2, knownTimelineEnd: at(99) }, 'timeline_forked'],
    [{ timeline: 2, knownTimelineEnd: null }, 'timeline_forked'],
    [{ timeline: 0, knownTimelineEnd: at(100) }, 'timeline_forked'],
    [{ logEnd: at(99) }, 'log_behind'],
    [{ publication: null }, 'publication_missing'],
    [{ publication: { oid: 8, nonce: 'n' } }, 'publication_recreated'],
    [{ publication: { oid: 9, nonce: 'm' } }, 'publication_recreated'],
    [{ slot: null }, 'slot_missing'],
    [{ slot: { ...slot, plugin: 'wal2json' } }, 'slot_foreign'],
    [{ slot: { ...slot, database: 'e' } }, 'slot_foreign'],
    [{ slot: { ...slot, walStatus: 'lost' } }, 'slot_lost'],
    [{ slot: { ...slot, confirmed: at(101) } }, 'slot_ahead'],
    [{ witnessLsn: null }, 'witness_missing'],
    [{ witnessLsn: at(91) }, 'witness_missing'],
  ];
  for (const [facts, name] of cases) {
    assert.deepEqual(doubts(facts), [name]);
  }
  assert.deepEqual(doubts({ node: 'south', slot: null }), ['node_name_differs', 'slot_missing']);
});

void test('what a slot would send again must end where the last commit applied here ended', () => {
  const { slot } = same;
  assert.ok(slot);
  const again = (
    lastCommit: number | null,
    unconfirmed: readonly number[],
    confirmed = 80,
  ): string[] => {
    const facts = {
      ...same,
      slot: { ...slot, confirmed: at(confirmed) },
      unconfirmed: unconfirmed.map(at),
    };
    const last = lastCommit === null ? null : at(lastCommit);
    return doubtsOf({ ...known, lastCommit: last }, facts).map(({ name }) => name);
  };
  assert.deepEqual(again(100, [90, 100]), []);
  assert.deepEqual(again(95, [95]), [], 'a keepalive moved the position on');
  assert.deepEqual(again(70, []), [], 'confirmed, then a keepalive moved the position on');
  assert.deepEqual(again(null, []), [], 'no commit yet');
  assert.deepEqual(again(100, [90, 99]), ['log_differs']);
  assert.deepEqual(again(100, []), ['log_differs']);
  assert.deepEqual(again(70, [90]), ['log_differs']);
  assert.deepEqual(again(null, [90]), ['log_differs']);
});

void test('a timeline history names where each timeline ended', () => {
  const ends = parseHistory(
    '1\t0/3000000\tno recovery target specified\n\n# note\n2\t16/B374D848\tx\n',
  );
  assert.deepEqual(
    [...ends],
    [
      [1, parseLsn('0/3000000')],
      [2, parseLsn('16/B374D848')],
    ],
  );
});

void test('SQLSTATE decides the code of a failure, and no text of PostgreSQL is kept', () => {
  const cases = [
    ['28P01', 'asking', 'provider_refused'],
    ['55006', 'streaming', 'slot_in_use'],
    ['53400', 'making the slot', 'provider_no_slot_free'],
    ['53300', 'streaming', 'provider_no_slot_free'],
    ['55000', 'making the slot', 'provider_wal_level'],
    ['55000', 'streaming', 'link_cut'],
    ['0A000', 'making the slot', 'provider_standby'],
    ['0A000', 'streaming', 'internal'],
    ['42704', 'streaming', 'provider_not_prepared'],
    ['57P01', 'streaming', 'link_cut'],
    ['57P03', 'asking', 'provider_unreachable'],
    ['22012', 'streaming', 'filter_error'],
    ['55P03', 'asking', 'provider_busy'],
    ['40P01', 'asking', 'provider_busy'],
    ['XX000', 'streaming', 'internal'],
  ] as const;
  for (const [sqlstate, phase, code] of cases) {
    const error = new pg.DatabaseError('secret value', 0, 'error');
    error.code = sqlstate;
    const failure = providerFailure(error, 'north', phase);
    assert.equal(failure.code, code, sqlstate);
    assert.doesNotMatch(JSON.stringify(failure.context) + failure.message, /secret/);
  }
  const reset = Object.assign(new Error('x'), { code: 'ECONNRESET' });
  assert.equal(providerFailure(reset, 'north', 'streaming').code, 'link_cut');
  assert.equal(providerFailure(reset, 'north', 'asking').code, 'provider_unreachable');
  assert.equal(providerFailure(new Error('x'), 'north', 'asking').code, 'internal');
});
