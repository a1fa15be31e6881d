import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { selfSigned } from '../testing/certificate.ts';
import { Cluster } from '../testing/cluster.ts';
import { newest } from '../testing/database.ts';
import { TributaryError } from '../errors.ts';
import { silent } from '../log.ts';
import { until } from '../testing/until.ts';
import { ask, probeKind } from './probe.ts';
import { ProbeLoop } from './probe-loop.ts';

interface Application extends AsyncDisposable {
  readonly port: number;
}

async function listening(server: Server): Promise<Application> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const answering =
  (status: number): RequestListener =>
  (_request, response) => {
    response.writeHead(status).end('a page');
  };

const day = 86_400_000;
const patienceMs = 5000;

void test('an application is up by a status below 400, and down by any other, with the reason', async () => {
  for (const [status, reason] of [
    [200, null],
    [302, null],
    [404, 'http_404'],
    [503, 'http_503'],
  ] as const) {
    await using application = await listening(createServer(answering(status)));
    assert.deepEqual(await ask(`http://127.0.0.1:${application.port}/health`, patienceMs), {
      kind: 'http',
      up: reason === null,
      reason,
      certificateExpires: null,
    });
  }
});

void test('an application that is not there, or says nothing, is down in time', async () => {
  const sockets: Socket[] = [];
  const deaf = createSocketServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  const { port } = deaf.address() as AddressInfo;
  try {
    assert.equal((await ask(`tcp://127.0.0.1:${port}`, patienceMs)).up, true);
    for (const url of ['http', 'https', 'tls', 'postgres'].map(
      (scheme) => `${scheme}://127.0.0.1:${port}/`,
    )) {
      const started = performance.now();
      const { up, reason } = await ask(url, 300);
      assert.deepEqual({ url, up, reason }, { url, up: false, reason: 'timeout' });
      assert.ok(performance.now() - started < patienceMs);
    }
  } finally {
    sockets.forEach((socket) => socket.destroy());
    deaf.close();
    await once(deaf, 'close');
  }
  for (const scheme of ['http', 'tcp', 'tls', 'postgres']) {
    const { up, reason } = await ask(`${scheme}://127.0.0.1:${port}/`, patienceMs);
    assert.deepEqual({ scheme, up, reason }, { scheme, up: false, reason: 'ECONNREFUSED' });
  }
});

void test('a certificate tells when it ends, trusted or not; one that is not trusted is down', async () => {
  const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 5 * day);
  const good = selfSigned(ends);
  await using application = await listening(createSecureServer(good, answering(200)));
  const urls = ['https', 'tls'].map((scheme) => `${scheme}://localhost:${application.port}/`);
  for (const url of urls) {
    const { up, reason, certificateExpires } = await ask(url, patienceMs);
    assert.equal(up, false);
    assert.equal(reason, 'certificate_DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.deepEqual(certificateExpires, ends);
  }
  setDefaultCACertificates([...getCACertificates('default'), good.cert]);
  for (const url of urls) {
    const { up, reason, certificateExpires } = await ask(url, patienceMs);
    assert.deepEqual(
      { up, reason, certificateExpires },
      { up: true, reason: null, certificateExpires: ends },
    );
  }
});

void test('a certificate that has ended is down, with the day it ended', async () => {
  const ended = new Date(Math.floor(Date.now() / 1000) * 1000 - day);
  const old = selfSigned(ended);
  setDefaultCACertificates([...getCACertificates('default'), old.cert]);
  await using application = await listening(createSecureServer(old, answering(200)));
  const { up, reason, certificateExpires } = await ask(
    `https://localhost:${application.port}/`,
    patienceMs,
  );
  assert.equal(up, false);
  assert.equal(reason, 'certificate_CERT_HAS_EXPIRED');
  assert.deepEqual(certificateExpires, ended);
});

void test('a PostgreSQL is up when it answers a question, and its certificate is seen', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tributary-tls-'));
  try {
    const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 20 * day);
    const { key, cert } = selfSigned(ends);
    const files = { ssl_key_file: join(directory, 'key'), ssl_cert_file: join(directory, 'cert') };
    await writeFile(files.ssl_key_file, key, { mode: 0o600 });
    await writeFile(files.ssl_cert_file, cert);
    if (process.getuid?.() === 0) {
      // The server runs as nobody then.
      await chown(directory, 65_534, 65_534);
      await chown(files.ssl_key_file, 65_534, 65_534);
    }
    await using cluster = await Cluster.start({
      major: newest(),
      settings: { ...files, ssl: 'on' },
    });
    const url = cluster.url();
    assert.deepEqual(await ask(url, patienceMs), {
      kind: 'postgres',
      up: true,
      reason: null,
      certificateExpires: null,
    });
    assert.deepEqual((await ask(`${url}?sslmode=no-verify`, patienceMs)).certificateExpires, ends);
    const wrong = await ask(cluster.url({ password: 'wrong' }), patienceMs);
    assert.equal(wrong.reason, 'sqlstate_28P01');
    await cluster.stop();
    assert.equal((await ask(url, patienceMs)).reason, 'ECONNREFUSED');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

void test('an address of no known kind is down and says so', async () => {
  assert.equal((await ask('ftp://127.0.0.1/', patienceMs)).reason, 'url_invalid');
  assert.equal(probeKind('https://x/'), 'http');
  assert.equal(probeKind('x'), null);
});

void test('applications are asked again and again; one that changed the file is asked at its new address', async () => {
  await using first = await listening(createServer(answering(200)));
  await using second = await listening(createServer(answering(500)));
  let port = first.port;
  const url = { template: '', line: 1, read: () => `http://127.0.0.1:${port}/` };
  const unreadable = {
    template: '',
    line: 1,
    read: () => {
      throw new TributaryError('secret_unreadable', { secret: 'X' });
    },
  };
  const loop = new ProbeLoop({
    probes: () => [
      { name: 'web', url },
      { name: 'secret', url: unreadable },
    ],
    log: silent,
    everyMs: 20,
  });
  assert.deepEqual(loop.results, []);
  const stop = new AbortController();
  const running = loop.run(stop.signal);
  await until(() => loop.results.length === 2, { what: 'both were asked' });
  assert.deepEqual(
    loop.results.map(({ name, up, reason }) => ({ name, up, reason })),
    [
      { name: 'web', up: true, reason: null },
      { name: 'secret', up: false, reason: 'secret_unreadable' },
    ],
  );
  const before = loop.results.map(({ since }) => since);
  port = second.port;
  await until(() => loop.results[0]?.reason === 'http_500', { what: 'the new address is asked' });
  assert.notDeepEqual(
    loop.results.map(({ since }) => since),
    before,
  );
  stop.abort();
  await running;
});
