/** Wrong words, files and secrets: exit code 2, what is wrong and what to write, and no stack trace. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command, type CommandResult } from '../node-process.ts';

const directory = await mkdtemp(join(tmpdir(), 'tributary-bad-'));
after(async () => await rm(directory, { recursive: true, force: true }));

const good = `version: 1
zone: Africa/Addis_Ababa
levels: [district, region]
tables:
  - table: public.facility
    key: [code]
nodes:
  - name: north
    level: region
    database: \${NORTH_DATABASE_URL}
    http: {port: 1}
  - name: district_a
    level: district
    parent: north
    database: \${DISTRICT_A_DATABASE_URL}
    provider: \${file:provider}
`;

/** Nothing listens on port 1 of this machine. */
const secrets = { NORTH_DATABASE_URL: 'postgres://u:password-x@127.0.0.1:1/d' };

async function run(
  words: readonly string[],
  options: { readonly text?: string; readonly node?: string; readonly secrets?: object } = {},
): Promise<CommandResult> {
  const topology = join(directory, 'topology.yaml');
  await writeFile(topology, options.text ?? good);
  const result = await command(
    { node: options.node ?? 'north', topology, secrets: { ...secrets, ...options.secrets } },
    words,
  );
  assert.doesNotMatch(result.stdout + result.stderr, /^\s+at |password-|Error:/m);
  return result;
}

for (const [title, words, expected] of [
  [
    'an unknown command',
    ['walk'],
    /command: walk\n {2}allowed: run, status, wait,.*\nRun `tributary help`/,
  ],
  [
    'an unknown flag',
    ['run', '--fast'],
    /problem: Unknown option '--fast'.*\n {2}options: --topology --node\n/,
  ],
  ['a flag without its value', ['wait', '--stream'], /problem: Option '--stream/],
  ['a missing flag', ['wait'], /missing: --stream NAME/],
  [
    'a timeout that is no number',
    ['wait', '--stream=district_a', '--timeout=soon'],
    /--timeout\n {2}expected: a number of seconds/,
  ],
  ['a stream that is none', ['wait', '--stream=south'], /stream: south\n {2}allowed: district_a/],
] as const) {
  void test(`${title}: exit 2, what is wrong, what is right`, async () => {
    const { code, stderr } = await run(words);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^error: the command line is not right \(usage\)\n/);
    assert.match(stderr, expected);
  });
}

void test('a URL in the place of a word is not repeated: it may hold a password', async () => {
  const { code, stdout, stderr } = await run(['prepare', 'postgres://owner:topsecret@db/health']);
  assert.equal(code, 2);
  assert.match(stderr, /expected: tributary prepare\n {2}words: 1/);
  assert.doesNotMatch(stdout + stderr, /topsecret/);
});

void test('`status` with a wrong flag is unknown to a monitoring system, not critical', async () => {
  const { code, stderr } = await run(['status', '--jsn']);
  assert.equal(code, 3);
  assert.match(stderr, /Unknown option '--jsn'/);
});

for (const words of [
  ['parked', 'list', '--stream', 'south'],
  ['rewound', 'list', '--stream', 'south'],
  ['rewound', 'release', '--stream', 'district_a', '--table', 'public.no_such'],
  ['parked', 'retry', '--stream', 'district_a', '--table', 'public.no_such'],
]) {
  void test(`a name that nobody has is told, not answered by "nothing": ${words.join(' ')}`, async () => {
    const { code, stderr } = await run(words);
    assert.equal(code, 2);
    assert.match(stderr, /\((stream|table)_unknown\)\n {2}(stream: south|table: public.no_such)\n/);
  });
}

void test('an unknown node: exit 2 with the names there are; one of them is taken', async () => {
  for (const words of [['run'], ['reload'], ['prepare', '--plan']]) {
    const { code, stderr } = await run(words, { node: 'nroth' });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^error: the topology has no node of this name \(node_unknown\)\n/);
    assert.match(stderr, /nroth/);
    assert.match(stderr, /tributary topology print/);
  }
  const status = await run(['status'], { node: 'nroth' });
  assert.equal(status.code, 3);
  assert.match(status.stdout, /^UNKNOWN error: the topology has no node of this name/);
  const printed = await run(['topology', 'print'], { node: 'nroth' });
  assert.match(printed.stdout, /^north \(region\)\n {2}district_a \(district\)$/m);
  assert.equal((await run(['status'])).code, 3);
});

void test('no file named: exit 2 and both ways to name it', async () => {
  const { code, stderr } = await command({ node: '', topology: '', secrets: {} }, ['check']);
  assert.equal(code, 2);
  assert.match(stderr, /missing: --topology FILE or TRIBUTARY_TOPOLOGY/);
});

void test('a secret that can not be read: run, check and prepare end with 2 and name it; set, they go on', async () => {
  for (const words of [['run'], ['check'], ['prepare']]) {
    const { code, stderr, stdout } = await run(words, { secrets: { NORTH_DATABASE_URL: '' } });
    assert.equal(code, 2, `${words.join(' ')} ${stdout}${stderr}`);
    const text = stderr + stdout;
    assert.match(
      text,
      /error: .*a secret named in the topology could not be read|error +a secret named/,
    );
    assert.match(text, /NORTH_DATABASE_URL/);
    assert.match(text, /Set the environment variable or create the file/);
  }
  const { code, stderr } = await run(['wait', '--stream', 'district_a']);
  assert.equal(code, 2);
  assert.match(stderr, /secret: file:provider\n {2}line: 16\n {2}reason: the file can not be read/);
  const provider = join(directory, 'provider');
  await writeFile(provider, 'postgres://u:password-y@127.0.0.1:1/d\n');
  const cured = await run(['wait', '--stream', 'district_a']);
  await rm(provider);
  assert.equal(cured.code, 1);
  assert.match(cured.stderr, /\(provider_unreachable\)/);
});

void test('a secret that is no URL is named, and its content is not printed', async () => {
  for (const secret of [
    'postgres:/u:password-z@',
    'host=db password=password-z',
    'postgres://u:password-z@db:port/x',
  ]) {
    const { code, stderr, stdout } = await run(['run'], {
      secrets: { NORTH_DATABASE_URL: secret },
    });
    assert.equal(code, 2, stdout + stderr);
    assert.match(
      stderr,
      /\(url_invalid\)\n {2}secret: NORTH_DATABASE_URL\n {2}line: 10\nWrite `postgres:/,
    );
  }
  const { code, stdout } = await run(['prepare', '--admin', 'db.example.org']);
  assert.equal(code, 2);
  assert.match(stdout, /--admin/);
  assert.equal((await run(['status'])).code, 3);
});

for (const [title, text, expected] of [
  ['a file that is no YAML', 'version: 1\n  nodes: [', /topology\.yaml:2: /],
  ['an empty file', '', /topology\.yaml:1: /],
  [
    'a parent that does not exist',
    good.replace('parent: north', 'parent: south'),
    /topology\.yaml:14: nodes\[1\]\.parent: .*`south`.*; write/,
  ],
  [
    'a filter that may raise',
    good.replace('key: [code]', 'approved: 1 / n > 2'),
    /topology\.yaml:6: tables\[0\]\.approved: /,
  ],
  [
    'two fields misspelt',
    good.replace('zone', 'zoen').replace('key:', 'kye:'),
    /:2: zoen: .*write `zone`[\s\S]*:6: tables\[0\]\.kye: .*write `key`/,
  ],
  ['binary', '\u0000\u0001\uFFFD', /topology\.yaml:1: /],
] as const) {
  void test(`${title}: every command ends with 2, line, path and what to write`, async () => {
    for (const words of [['topology', 'validate'], ['run']]) {
      const { code, stdout, stderr } = await run(words, { text });
      assert.equal(code, 2, stdout + stderr);
      assert.match(stdout + stderr, expected);
    }
    const { code } = await run(['topology', 'validate']);
    assert.equal(code, 0);
  });
}
