import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TributaryError } from '../errors.ts';
import { postgresUrl } from './postgres-url.ts';

for (const text of [
  'postgres://writer:secret@127.0.0.1:5432/records',
  'postgresql://writer@db/records?sslmode=require',
  'postgres:///records?host=/var/run/postgresql',
  'postgres://writer:p%23%25@db/records',
]) {
  void test(`a URL is taken: ${text}`, () => {
    assert.equal(postgresUrl(text, {}), text);
  });
}

for (const text of [
  '',
  'host=db password=hunter2',
  'db.example.org:5432',
  'https://db.example.org/',
  'postgres:/writer:hunter2@db/records',
  'postgres://writer:hunter2@db:port/records',
  'postgres://writer:hunter2#x@db/records',
  'postgres://writer:hunter2%zz@db/records',
]) {
  void test(`what is none is refused and not shown: ${text}`, () => {
    assert.throws(
      () => postgresUrl(text, { secret: 'database' }),
      (error) => {
        assert.ok(error instanceof TributaryError && error.code === 'url_invalid');
        assert.deepEqual(error.context, { secret: 'database' });
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /hunter2/);
        return true;
      },
    );
  });
}
