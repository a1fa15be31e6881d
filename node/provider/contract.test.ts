/** The contract of the interface, against `direct` on real PostgreSQL, and against `direct` through a local socket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silent } from '../log.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Part, Step } from '../pgoutput/part.ts';
import { childName, createChild } from '../testing/child.ts';
import { majors, roles } from '../testing/database.ts';
import type { TestDatabase } from '../testing/database.ts';
import { openDirect } from './direct.ts';
import type { Provider } from './provider.ts';

let subscribers = 0;

function subscriberName(): string {
  subscribers += 1;
  return `t${process.pid}_${subscribers}`;
}

function open(database: TestDatabase, port?: number): Provider {
  return openDirect({
    url: database.url(roles.reader, port),
    provider: childName,
    subscriber: subscriberName(),
    topologyDigest: '0123456789ab',
    version: '0.1.0',
    log: silent,
  });
}

function text(step: Step): string {
  if (step.kind === 'truncate') {
    return `truncate ${step.relations.map((relation) => relation.name).join()}`;
  }
  if (step.kind === 'message') {
    return `message ${step.prefix} ${step.content.toString()}`;
  }
  return row(step);
}

function row(change: Change): string {
  const tuple = change.new ?? change.old;
  const values = [];
  for (let i = 0; i < (tuple?.count ?? 0); i += 1) {
    values.push(tuple?.kind(i) === 'unchanged' ? '?' : (tuple?.value(i)?.toString() ?? 'null'));
  }
  return `${change.kind} ${change.relation.name} ${values.join()}`;
}

async function steps(part: Part): Promise<string[]> {
  const found: string[] = [];
  for await (const transactions of part.slices()) {
    for (const transaction of transactions) {
      found.push(...transaction.changes.map(text));
    }
  }
  return found;
}

async function collect(
  provider: Provider,
  from: Lsn,
  count: number,
): Promise<{ steps: string[]; position: Lsn }> {
  const abort = new AbortController();
  const found: string[] = [];
  let position = from;
  for await (const part of provider.stream(from, { signal: abort.signal, format: 'text' })) {
    found.push(...(await steps(part)));
    position = part.position;
    provider.confirm(position);
    if (found.length >= count) {
      break;
    }
  }
  return { steps: found, position };
}

for (const major of majors().filter((major) => major === 15 || major === 18)) {
  void test(`PostgreSQL ${major}: describes, makes a slot, proves and streams approved rows`, async () => {
    await using database = await createChild(major);
    await database.query(`insert into note values (1, 'old')`);
    await using provider = open(database);
    const description = await provider.describe();
    assert.equal(description.node, childName);
    assert.deepEqual(
      description.tables.map((table) => `${table.schema}.${table.name}`),
      ['public.note', 'public.report', 'tributary.audit', 'tributary.heartbeat'],
    );
    const made = await provider.makeSlot();
    assert.deepEqual(made.tablesWithRows, ['public.note']);
    assert.deepEqual(await provider.prove({ ...made, node: childName, witness: null }), []);

    await database.query(`insert into report values (1, 'draft', 'a'), (2, 'approved', 'b')`);
    await database.query(`update report set status = 'approved' where id = 1`);
    await database.query(`insert into note values (2, null)`);
    const got = await collect(provider, made.position, 3);
    assert.deepEqual(got.steps, [
      'insert report 2,approved,b',
      'insert report 1,approved,a',
      'insert note 2,null',
    ]);
  });
}
