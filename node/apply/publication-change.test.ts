import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamPair, table } from '../testing/stream-pair.ts';

void test('a copy is incomplete from the very commit on that changed the publication, and says so upstream', async () => {
  await using pair = await StreamPair.create({
    ddl: `create table visit (id int primary key, note text); create table late (id int primary key)`,
    tables: [table('visit', { key: ['id'] }), table('late', { key: ['id'] })],
    providerDdl: `insert into late values (1)`,
    publication: `create publication tributary_up for table visit`,
  });
  await pair.subscriber.query(`
    insert into tributary.node (name) values ('north');
    insert into tributary.route values ('district_a', 'district_a');
    insert into tributary.heartbeat (node, at, lsn, nonce, version, topology)
    values ('north', now(), '0/1', gen_random_uuid(), '1', 'x');
    select tributary.refresh_origins()`);
  const said = async (): Promise<unknown> => {
    const { rows } = await pair.subscriber.query(
      `select s.incomplete, h.origins -> 'district_a' ->> 'complete' as complete,
         h.origins -> 'district_a' ->> 'reason' as reason
       from tributary.stream s, tributary.heartbeat h`,
    );
    return rows[0];
  };
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1)`);
  await pair.drain(applier);
  assert.deepEqual(await said(), { incomplete: null, complete: 'true', reason: null });
  await pair.provider.query(
    `begin;
     alter publication tributary_up set table visit, late;
     select pg_logical_emit_message(true, 'tributary', 'publication');
     commit`,
  );
  await pair.drain(applier);
  const incomplete = 'publication_changed';
  assert.deepEqual(await said(), { incomplete, complete: 'false', reason: incomplete });
  await pair.subscriber.query(`update tributary.stream set incomplete = 'first_copy'`);
  await pair.provider.query(`select pg_logical_emit_message(true, 'tributary', 'publication')`);
  await pair.provider.query(`insert into late values (2)`);
  await pair.drain(applier);
  assert.deepEqual(await said(), {
    incomplete: 'first_copy',
    complete: 'false',
    reason: 'first_copy',
  });
});
