import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { adviceOf, textOf, TributaryError } from '../errors.ts';
import { silent } from '../log.ts';
import type { Unready } from './node-api.ts';
import { httpServer, isLoopback, nameHeader, type HttpOptions } from './server.ts';

class Node {
  problem: Unready | null = null;
  problems: readonly string[] = [];
  reloads = 0;
  refusal: TributaryError | null = null;
  readonly acts: string[] = [];

  options(over: Partial<HttpOptions> = {}): HttpOptions {
    return {
      name: 'north',
      host: '127.0.0.1',
      port: 0,
      open: false,
      log: silent,
      reading: {
        unready: async () => await Promise.resolve(this.problem),
        status: async () => await Promise.resolve({ node: 'north' }),
        description: () => ({ openapi: '3.1.0' }),
        metrics: async () => await Promise.resolve({ contentType: 'text/plain', text: 'a 1\n' }),
      },
      acting: {
        reload: async () => {
          this.reloads += 1;
          return await Promise.resolve({ problems: this.problems, atNextStart: [] });
        },
        pause: async (stream, actor) => await this.#act(`pause ${stream} by ${actor}`),
        retryParked: async (stream, { actor, table }) => {
          await this.#act(`retry ${stream} ${table ?? 'all'} by ${actor}`);
          return 3;
        },
        freeRewound: async (stream, { actor, table, keys }) => {
          await this.#act(`free ${stream} ${table ?? 'all'} ${keys?.join() ?? 'all'} by ${actor}`);
          return 2;
        },
        discardParked: async (stream, { actor, table, key }) =>
          await this.#act(`discard ${stream} ${table} ${key.join()} by ${actor}`),
        resume: async (stream, actor) => await this.#act(`resume ${stream} by ${actor}`),
        verify: async (stream, { actor, table }) => {
          await this.#act(`verify ${stream} ${table ?? 'all'} by ${actor}`);
          return run;
        },
        reconcile: async (stream, { actor, run: given }) => {
          await this.#act(`reconcile ${stream} ${given} by ${actor}`);
          return 7;
        },
      },
      ...over,
    };
  }

  async #act(what: string): Promise<void> {
    if (this.refusal) {
      throw this.refusal;
    }
    this.acts.push(what);
    return await Promise.resolve();
  }
}

const run = '0197f0aa-0000-7000-8000-000000000001';
const unready = { code: 'not_prepared', reason: 'the database is not prepared', advice: 'prepare' };

void test('livez answers as long as the process lives, readyz says why it is not ready', async () => {
  const node = new Node();
  const server = httpServer(node.options());
  assert.equal((await server.inject('/readyz')).statusCode, 200);
  node.problem = unready;
  const answer = await server.inject('/readyz');
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json(), { ready: false, ...unready });
  assert.equal((await server.inject('/livez')).statusCode, 200);
});

void test('on loopback everything can be read', async () => {
  const server = httpServer(new Node().options());
  assert.equal((await server.inject('/metrics')).body, 'a 1\n');
  assert.deepEqual((await server.inject('/api/status')).json(), { node: 'north' });
  assert.equal((await server.inject('/api/openapi.json')).statusCode, 200);
  assert.match((await server.inject('/')).headers['content-type'] ?? '', /text\/html/);
});

void test('beyond loopback only the probes are open, unless the network is declared trusted', async () => {
  const shut = httpServer(new Node().options({ host: '0.0.0.0' }));
  for (const url of ['/', '/metrics', '/api/status']) {
    const answer = await shut.inject(url);
    assert.equal(answer.statusCode, 403, url);
    assert.match(answer.json<{ advice: string }>().advice, /open: true/);
  }
  assert.equal((await shut.inject('/livez')).statusCode, 200);
  assert.equal((await shut.inject('/readyz')).statusCode, 200);
  const open = httpServer(new Node().options({ host: '0.0.0.0', open: true }));
  assert.equal((await open.inject('/metrics')).statusCode, 200);
});

void test('reload is a POST from this machine, and says what keeps the old file in force', async () => {
  const node = new Node();
  const server = httpServer(node.options());
  assert.equal((await server.inject({ method: 'GET', url: '/api/reload' })).statusCode, 404);
  assert.equal((await server.inject({ method: 'POST', url: '/api/reload' })).statusCode, 200);
  node.problems = ['line 3: no'];
  const answer = await server.inject({ method: 'POST', url: '/api/reload' });
  assert.equal(answer.statusCode, 422);
  assert.deepEqual(answer.json(), { problems: ['line 3: no'], atNextStart: [] });
  assert.equal(node.reloads, 2);
});

void test('a page of a site whose name has come to mean this machine reads and does nothing', async () => {
  const node = new Node();
  const name = 'evil.example:8080';
  const headers = { host: name, origin: `http://${name}` };
  const reload = { method: 'POST', url: '/api/reload', headers } as const;
  const local = httpServer(node.options());
  assert.equal((await local.inject(reload)).statusCode, 421);
  assert.equal((await local.inject({ url: '/api/status', headers })).statusCode, 421);
  assert.equal((await local.inject({ url: '/metrics', headers })).statusCode, 421);
  const open = httpServer(node.options({ host: '0.0.0.0', open: true }));
  assert.equal((await open.inject(reload)).statusCode, 403);
  assert.equal((await open.inject({ url: '/api/status', headers })).statusCode, 200);
  assert.equal(node.reloads, 0);
  for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080', '127.0.0.1']) {
    const ours = { ...reload, headers: { host, origin: `http://${host}` } };
    assert.equal((await local.inject(ours)).statusCode, 200, host);
  }
});

const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

void test(
  'who listens on an address of the network acts over that address, from the machine itself',
  { skip: own === undefined && 'this machine has no network' },
  async () => {
    const node = new Node();
    const server = httpServer(node.options({ host: own ?? '', open: true }));
    await using _ = { [Symbol.asyncDispose]: async () => await server.close() };
    const url = await server.listen({ host: own ?? '', port: 0 });
    const answer = await fetch(`${url}/api/reload`, { method: 'POST' });
    assert.equal(answer.status, 200);
    assert.equal(node.reloads, 1);
  },
);

void test('what is meant for another node of this machine is answered by nobody, and does nothing', async () => {
  const node = new Node();
  const server = httpServer(node.options());
  for (const [name, status] of [
    ['north', 200],
    ['south', 421],
  ] as const) {
    const headers = { [nameHeader]: name };
    const reload = { method: 'POST', url: '/api/reload', headers } as const;
    assert.equal((await server.inject(reload)).statusCode, status);
    assert.equal((await server.inject({ url: '/api/status', headers })).statusCode, status);
  }
  assert.equal(node.reloads, 1);
});

void test('reload from elsewhere, or by a page of another site, does nothing', async () => {
  const node = new Node();
  const server = httpServer(node.options({ host: '0.0.0.0', open: true }));
  const far = { method: 'POST', url: '/api/reload', remoteAddress: '10.1.2.3' } as const;
  assert.equal((await server.inject(far)).statusCode, 403);
  const page = {
    method: 'POST',
    url: '/api/reload',
    headers: { origin: 'https://elsewhere.example' },
  } as const;
  assert.equal((await server.inject(page)).statusCode, 403);
  assert.equal(node.reloads, 0);
});

void test('a stream is paused and resumed by POST from this machine, in the name of who asks', async () => {
  const node = new Node();
  const server = httpServer(node.options());
  const post = async (url: string, payload: object, more: object = {}) =>
    await server.inject({ method: 'POST', url, payload, ...more });
  const by = { actor: 'root at north' };
  assert.equal((await post('/api/streams/district_a/pause', by)).statusCode, 200);
  assert.deepEqual((await post('/api/streams/district_a/resume', by)).json(), {
    stream: 'district_a',
    paused: false,
  });
  assert.deepEqual(node.acts, [
    'pause district_a by root at north',
    'resume district_a by root at north',
  ]);
  assert.equal((await post('/api/streams/district_a/pause', {})).statusCode, 400);
  const far = await post('/api/streams/district_a/pause', by, { remoteAddress: '10.1.2.3' });
  assert.equal(far.statusCode, 403);
  assert.equal(node.acts.length, 2);
});

void test('what can not be done says why and what to do', async () => {
  const node = new Node();
  const server = httpServer(node.options());
  for (const [code, status] of [
    ['stream_unknown', 409],
    ['not_leading', 503],
  ] as const) {
    node.refusal = new TributaryError(code);
    const answer = await server.inject({
      method: 'POST',
      url: '/api/streams/x/pause',
      payload: { actor: 'a' },
    });
    assert.equal(answer.statusCode, status);
    assert.deepEqual(answer.json(), { code, text: textOf(code), advice: adviceOf(code) });
  }
});

void test('an unexpected failure tells nothing of itself outside', async () => {
  const options = new Node().options();
  const server = httpServer({
    ...options,
    reading: {
      ...options.reading,
      status: async () => await Promise.reject(new Error('secret value')),
    },
  });
  const answer = await server.inject('/api/status');
  assert.equal(answer.statusCode, 500);
  assert.doesNotMatch(answer.body, /secret/);
});

void test('loopback is told from other addresses', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', 'localhost']) {
    assert.equal(isLoopback(address), true, address);
  }
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '127.example', '::ffff:10.0.0.1']) {
    assert.equal(isLoopback(address), false, address);
  }
});
