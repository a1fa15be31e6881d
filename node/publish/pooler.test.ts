import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { test } from 'node:test';
import pg from 'pg';
import { newest, roles, TestDatabase } from '../testing/database.ts';
import { isPooled } from './pooler.ts';

/** Answers the start-up as a pooler does, with a process number of its own: BackendKeyData is `K`, length 12, number, key. */
async function listenAsPooler(port: number): Promise<Server> {
  const head = Buffer.from([0x4b, 0, 0, 0, 12]);
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.pipe(upstream);
    upstream.on('data', (data) => {
      const at = data.indexOf(head);
      if (at >= 0) {
        data.writeInt32BE(4_000_001, at + head.length);
      }
      client.write(data);
    });
    upstream.on('close', () => client.destroy());
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function pooledAt(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await isPooled(client);
  } finally {
    await client.end();
  }
}

void test('a pooler is told from PostgreSQL itself', async () => {
  await using database = await TestDatabase.create(newest());
  assert.equal(await pooledAt(database.url(roles.writer)), false);
  const pooler = await listenAsPooler(database.port);
  const { port } = pooler.address() as AddressInfo;
  assert.equal(await pooledAt(database.url(roles.writer, port)), true);
  pooler.close();
});
