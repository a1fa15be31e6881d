import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TributaryError } from '../errors.ts';
import { brokenPlaceholder, secretOf } from './secret.ts';

const place = { line: 7, directory: '/' };

void test('a secret is read from the environment only when it is needed', () => {
  const secret = secretOf('postgres://${SECRET_TEST_USER}@db/x', place);
  process.env['SECRET_TEST_USER'] = 'writer';
  assert.equal(secret.read(), 'postgres://writer@db/x');
  assert.equal(secret.template, 'postgres://${SECRET_TEST_USER}@db/x');
  assert.equal(secret.line, 7);
});

void test('a secret is read from a file beside the topology, without its last line end', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tributary-secret-'));
  t.after(async () => {
    await rm(directory, { recursive: true });
  });
  await writeFile(join(directory, 'url'), 'postgres://a:$b${c}@d\n');
  assert.equal(secretOf('${file:url}', { line: 1, directory }).read(), 'postgres://a:$b${c}@d');
  assert.equal(
    secretOf(`x\${file:${join(directory, 'url')}}`, place).read(),
    'xpostgres://a:$b${c}@d',
  );
});

void test('a dollar before the placeholder keeps it as it stands', () => {
  assert.equal(secretOf('a$${NAME}b$$c', place).read(), 'a${NAME}b$$c');
});

void test('what can not be read is named, never shown', () => {
  process.env['SECRET_TEST_EMPTY'] = '';
  const cases: [string, string, RegExp][] = [
    ['hunter2${SECRET_TEST_NONE}', 'SECRET_TEST_NONE', /not set/],
    ['hunter2${SECRET_TEST_EMPTY}', 'SECRET_TEST_EMPTY', /empty/],
    ['hunter2${file:/nowhere/secret}', 'file:/nowhere/secret', /can not be read/],
  ];
  for (const [template, name, reason] of cases) {
    assert.throws(
      () => secretOf(template, place).read(),
      (error) => {
        assert.ok(error instanceof TributaryError);
        assert.equal(error.code, 'secret_unreadable');
        assert.equal(error.context['secret'], name);
        assert.equal(error.context['line'], 7);
        assert.match(String(error.context['reason']), reason);
        assert.doesNotMatch(JSON.stringify([error.message, error.context]), /hunter2/);
        return true;
      },
    );
  }
});

void test('a placeholder that is none is found before anything is read', () => {
  for (const whole of ['${NAME}', '${file:/a b}', 'a', '$${', '$${x', '$NAME', 'a${A}b${B}']) {
    assert.equal(brokenPlaceholder(whole), null, whole);
  }
  for (const broken of ['${}', '${NAME', '${1A}', '${a-b}', '${file:}', '${env:A}', '${A}${']) {
    assert.notEqual(brokenPlaceholder(broken), null, broken);
  }
});
