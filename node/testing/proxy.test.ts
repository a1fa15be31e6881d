import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { freePort } from './free-port.ts';
import { Proxy } from './proxy.ts';
import { until } from './until.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));

void test('every byte arrives in both directions and is counted', async () => {
  await using link = await Link.open();
  const client = link.client();
  client.socket.write('hello');
  await until(() => link.received.toString() === 'hello', { what: 'greeting at the server' });
  link.send(content);
  await until(() => client.received().length === content.length, { what: 'content' });
  assert.ok(client.received().equals(content));
  assert.deepEqual(link.proxy.bytes, { toServer: 5, fromServer: content.length });
});

void test('a clean end is passed on, with what was sent before it', async () => {
  await using link = await Link.open();
  const client = link.client();
  await until(() => link.sockets.length === 1, { what: 'connection' });
  for (const socket of link.sockets) {
    socket.end(content);
  }
  assert.equal(await client.closed, 'end');
  assert.ok(client.received().equals(content));
});

for (const bytes of [0, 1, 2, 65_535, 65_536, 299_999]) {
  void test(`a cut after ${bytes} bytes from the server delivers exactly those`, async () => {
    await using link = await Link.open();
    const client = link.client();
    await until(() => link.sockets.length === 1, { what: 'connection' });
    const cut = link.proxy.cutAfter(bytes);
    link.send(content);
    await Promise.all([cut, client.closed]);
    assert.ok(client.received().equals(content.subarray(0, bytes)));
    assert.equal(link.proxy.bytes.fromServer, bytes);
    await until(() => link.sockets.every((socket) => socket.destroyed), { what: 'cut at server' });
  });
}

void test('a cut ends every connection at once and lets new ones through', async () => {
  await using link = await Link.open();
  const clients = [link.client(), link.client()];
  await until(() => link.sockets.length === 2, { what: 'connections' });
  assert.equal(link.proxy.cut(), 2);
  await Promise.all(clients.map((client) => client.closed));
  const next = link.client();
  await until(() => link.sockets.length === 3, { what: 'a third connection' });
  link.send(Buffer.from('x'));
  await until(() => next.received().toString() === 'x', { what: 'a byte over the third' });
});

void test('a refusing link cuts what is open and resets what is new, until it is healed', async () => {
  await using link = await Link.open();
  const before = link.client();
  await until(() => link.sockets.length === 1, { what: 'connection' });
  link.proxy.refuse();
  await before.closed;
  assert.equal(await link.client().closed, 'ECONNRESET');
  link.proxy.heal();
  link.client();
  await until(() => link.sockets.length === 2, { what: 'a connection after healing' });
});

void test('a silent link accepts and forwards nothing, and what it held flows when it is healed', async () => {
  await using link = await Link.open();
  const before = link.client();
  await until(() => link.sockets.length === 1, { what: 'connection' });
  link.proxy.silence();
  link.send(content);
  const during = link.client();
  await until(() => link.sockets.length === 2, { what: 'a connection during silence' });
  during.socket.write('x');
  await until(() => link.proxy.connections.open === 2, { what: 'both held open' });
  assert.deepEqual(link.proxy.bytes, { toServer: 0, fromServer: 0 });
  link.proxy.heal();
  await until(() => before.received().length === content.length, { what: 'content' });
  await until(() => link.received.toString() === 'x', { what: 'a byte at the server' });
});

void test('a far link holds every byte back for its delay', async () => {
  await using link = await Link.open();
  const client = link.client();
  await until(() => link.sockets.length === 1, { what: 'connection' });
  link.proxy.delay(150);
  const start = performance.now();
  link.send(Buffer.from('one'));
  link.send(Buffer.from('two'));
  await until(() => client.received().toString() === 'onetwo', { what: 'both' });
  assert.ok(performance.now() - start >= 145);
});

void test('a slow link lets so many bytes per second through', async () => {
  await using link = await Link.open();
  const client = link.client();
  await until(() => link.sockets.length === 1, { what: 'connection' });
  link.proxy.limit(1_000_000);
  const start = performance.now();
  link.send(content);
  await until(() => client.received().length === content.length, { what: 'content' });
  assert.ok(performance.now() - start >= 280);
});

void test('a server that is not there resets the client', async () => {
  const nobody = await freePort();
  await using proxy = await Proxy.start({ to: () => nobody });
  const client = new Client(proxy.port);
  assert.equal(await client.closed, 'ECONNRESET');
});

/** A server that keeps what it hears, and a proxy before it. */
class Link implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  readonly proxy: Proxy;
  readonly #server;
  readonly #clients: Client[] = [];
  received = Buffer.alloc(0);

  private constructor(server: ReturnType<typeof createServer>, proxy: Proxy) {
    this.#server = server;
    this.proxy = proxy;
    server.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        this.received = Buffer.concat([this.received, chunk]);
      });
    });
  }

  static async open(): Promise<Link> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new Link(server, await Proxy.start({ to: () => port }));
  }

  client(): Client {
    const client = new Client(this.proxy.port);
    this.#clients.push(client);
    return client;
  }

  send(bytes: Buffer): void {
    for (const socket of this.sockets) {
      socket.write(bytes);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    for (const client of this.#clients) {
      client.socket.destroy();
    }
    this.#server.close();
  }
}

class Client {
  readonly socket: Socket;
  /** How it ended: `end`, or the code of the error. */
  readonly closed: Promise<string>;
  readonly #chunks: Buffer[] = [];

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('data', (chunk) => this.#chunks.push(chunk));
    const closed = Promise.withResolvers<string>();
    this.socket.on('error', (error) => {
      closed.resolve('code' in error ? String(error.code) : error.name);
    });
    this.socket.on('end', () => {
      closed.resolve('end');
    });
    this.closed = closed.promise;
  }

  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
