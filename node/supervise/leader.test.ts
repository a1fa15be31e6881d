import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TributaryError } from '../errors.ts';
import { type LogFields, silent } from '../log.ts';
import { roles, TestDatabase } from '../testing/database.ts';
import { Proxy } from '../testing/proxy.ts';
import { until } from '../testing/until.ts';
import { lead, type LeaderState } from './leader.ts';

/** One process that wants to serve: what it was told, and how many terms it began and ended. */
class Candidate implements AsyncDisposable {
  readonly states: LeaderState[] = [];
  readonly codes: string[] = [];
  readonly warnings: string[] = [];
  began = 0;
  ended = 0;
  fail: TributaryError | null = null;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(url: string, name: string) {
    const options = {
      connect: { url, applicationName: name },
      log: {
        ...silent,
        warn: (fields: LogFields, sentence: string): void => {
          this.warnings.push(`${sentence} (${String(fields['why'])})`);
        },
      },
      changed: (state: LeaderState, error: TributaryError | null): void => {
        this.states.push(state);
        if (error) {
          this.codes.push(error.code);
        }
      },
    };
    this.#running = lead(options, async (signal) => await this.#term(signal), this.#stop.signal);
  }

  get leads(): boolean {
    return this.began > this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #term(signal: AbortSignal): Promise<void> {
    this.began += 1;
    try {
      await until(() => signal.aborted || this.fail, { what: 'the term ends', ms: 120_000 });
      if (this.fail) {
        throw this.fail;
      }
    } finally {
      this.fail = null;
      this.ended += 1;
    }
  }
}

async function cut(database: TestDatabase, name: string): Promise<void> {
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`,
    [name],
  );
}

void test('a second process waits and takes over when the first ends', async () => {
  await using database = await TestDatabase.create();
  const first = new Candidate(database.url(roles.writer), 'first');
  await until(() => first.leads, { what: 'the first leads' });
  await using second = new Candidate(database.url(roles.writer), 'second');
  await until(() => second.states.includes('waiting'), { what: 'the second waits' });
  assert.equal(second.began, 0);
  await first[Symbol.asyncDispose]();
  await until(() => second.leads, { what: 'the second leads' });
  assert.deepEqual(first.warnings, [], 'who ends by itself has lost nothing');
});

void test('a process that waits holds back no vacuum: no open transaction, no snapshot', async () => {
  await using database = await TestDatabase.create();
  await using first = new Candidate(database.url(roles.writer), 'first');
  await until(() => first.leads, { what: 'the first leads' });
  await using second = new Candidate(database.url(roles.writer), 'second');
  await until(() => second.states.includes('waiting'), { what: 'the second waits' });
  await until(
    async () => {
      const { rows } = await database.query(
        `select state, backend_xmin from pg_stat_activity where application_name = 'second'`,
      );
      return rows[0]?.state === 'idle' && rows[0]?.backend_xmin === null;
    },
    { what: 'the waiting session is idle', ms: 5000 },
  );
});

void test("a term ends at once when the lock's connection is cut, and the process asks again", async () => {
  await using database = await TestDatabase.create();
  await using only = new Candidate(database.url(roles.writer), 'only');
  await until(() => only.leads, { what: 'it leads' });
  await cut(database, 'only');
  await until(() => only.ended === 1, { what: 'the term ends', ms: 2000 });
  await until(() => only.began === 2, { what: 'it leads again' });
  assert.equal(only.warnings.length, 1);
  assert.match(only.warnings[0] ?? '', /^the lock is lost that says who serves.*its session/);
});

void test('a database that answers late, as one with hundreds of sessions to begin, ends no term', async () => {
  await using database = await TestDatabase.create();
  const { port } = new URL(database.url());
  await using link = await Proxy.start({ to: () => Number(port) });
  const url = new URL(database.url(roles.writer));
  url.port = String(link.port);
  await using one = new Candidate(url.href, 'late');
  await until(() => one.leads, { what: 'it leads' });
  link.silence();
  const since = performance.now();
  // A look every five seconds: one is on its way for more than that.
  await until(() => one.ended > 0 || performance.now() - since > 12_000, { what: 'a late answer' });
  link.heal();
  assert.equal(one.ended, 0);
  assert.deepEqual(one.states, ['connecting', 'leading']);
});

void test('told to stop, a process does not wait for the answer to a look that is on its way', async () => {
  await using database = await TestDatabase.create();
  const { port } = new URL(database.url());
  await using link = await Proxy.start({ to: () => Number(port) });
  const url = new URL(database.url(roles.writer));
  url.port = String(link.port);
  const one = new Candidate(url.href, 'stopped');
  await until(() => one.leads, { what: 'it leads' });
  link.silence();
  const since = performance.now();
  await until(() => performance.now() - since > 7000, { what: 'a look is on its way' });
  const told = performance.now();
  await one[Symbol.asyncDispose]();
  assert.ok(performance.now() - told < 10_000, 'it ends');
  assert.deepEqual(one.warnings, []);
});

void test('a fenced process gives the lock away before it asks again', async () => {
  await using database = await TestDatabase.create();
  await using first = new Candidate(database.url(roles.writer), 'first');
  await until(() => first.leads, { what: 'the first leads' });
  await using second = new Candidate(database.url(roles.writer), 'second');
  await until(() => second.states.includes('waiting'), { what: 'the second waits' });
  first.fail = new TributaryError('fenced', { stream: 'x' });
  await until(() => first.codes.includes('fenced'), { what: 'the first is fenced' });
  await until(() => first.leads || second.leads, { what: 'somebody leads' });
  assert.equal(first.leads && second.leads, false);
});

void test('a wrong password is told as such and tried again', async () => {
  await using database = await TestDatabase.create();
  const url = new URL(database.url(roles.writer));
  url.password = 'wrong';
  await using only = new Candidate(url.href, 'wrong');
  await until(() => only.codes.length > 1, { what: 'two refusals' });
  assert.equal(only.codes[0], 'database_refused');
  assert.equal(only.began, 0);
});

void test('a database that is down is told as such and tried again', async () => {
  await using only = new Candidate('postgres://x:y@127.0.0.1:1/none', 'down');
  await until(() => only.codes.length > 1, { what: 'two failures' });
  assert.equal(only.codes[0], 'database_unreachable');
});
