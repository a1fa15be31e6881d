/** A child that is reached by TLS only: over it the stream, and answers in copy mode, are cut as they are without. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { selfSigned } from '../testing/certificate.ts';
import { createChild } from '../testing/child.ts';
import { Cluster } from '../testing/cluster.ts';
import { own } from '../testing/data-directory.ts';
import { createRoles, newest, roles } from '../testing/database.ts';
import { openChild, readStream } from '../testing/stream-reader.ts';

const rows = 3000;

async function encrypted(major: number): Promise<{ cluster: Cluster; root: string }> {
  const cluster = await Cluster.start({ major });
  const home = dirname(cluster.directory);
  const { key, cert } = selfSigned(new Date(Date.now() + 86_400_000));
  const [root, secret] = [join(home, 'server.crt'), join(home, 'server.key')];
  await writeFile(root, cert);
  await writeFile(secret, key, { mode: 0o600 });
  await Promise.all([root, secret].map(async (file) => await own(file)));
  await cluster.stop();
  await cluster.start({ ssl: 'on', ssl_cert_file: root, ssl_key_file: secret });
  return { cluster, root };
}

void test('a stream and ranges of tables come over TLS', async () => {
  const major = newest();
  const { cluster, root } = await encrypted(major);
  await using _cluster = cluster;
  await createRoles(async (sql) => await cluster.query(sql));
  // This file's own process: its databases are made there.
  process.env[`TEST_PG_${major}`] = cluster.url();
  await using database = await createChild(major);
  await database.query(
    `insert into report select n, 'approved', repeat(md5(n::text), 40) from generate_series(1, ${rows}) n`,
  );
  const url = `${database.url(roles.reader)}?sslmode=verify-full&sslrootcert=${root}`;
  await using provider = openChild(database, { url });
  const slot = await provider.makeSlot();
  await database.query(`update report set status = 'approved', body = body || 'x'`);
  const { transactions } = await readStream(
    provider,
    slot.position,
    (read) => read.transactions.length > 0,
  );
  assert.equal(transactions[0]?.length, rows);
  await using reader = await provider.openReader();
  await using view = await reader.look();
  using page = await view.rows(
    { schema: 'public', name: 'report', columns: ['id', 'body'], key: ['id'] },
    { after: null, upto: null },
    { rows: 2 * rows, bytes: 1 << 30, form: 'binary' },
  );
  assert.equal(page.tuples.length, rows);
  assert.ok(page.tuples.every((tuple) => tuple.value(1)?.length === 1281));
  const { rows: sessions } = await database.query(
    `select bool_and(s.ssl) as encrypted from pg_stat_ssl s join pg_stat_activity a using (pid) where a.usename = $1`,
    [roles.reader],
  );
  assert.deepEqual(sessions, [{ encrypted: true }]);
});
