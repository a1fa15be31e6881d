import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Link } from './link.ts';

/** An echo server behind a link. */
class Line implements AsyncDisposable {
  readonly link: Link;
  readonly #server;

  private constructor(link: Link, server: ReturnType<typeof createServer>) {
    this.link = link;
    this.#server = server;
  }

  static async open(): Promise<Line> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const spare = createServer().listen(0, '127.0.0.1');
    await once(spare, 'listening');
    const { port } = spare.address() as AddressInfo;
    spare.close();
    await once(spare, 'close');
    return new Line(await Link.open(port, (server.address() as AddressInfo).port), server);
  }

  call(): Socket {
    const socket = createConnection(this.link.port, '127.0.0.1');
    socket.on('error', () => {});
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.close();
    this.#server.close();
  }
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

/** once() would reject with the reset itself. */
async function closed(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
}

void test('an open link carries bytes both ways and counts those towards the parent', async () => {
  await using line = await Line.open();
  const socket = line.call();
  assert.equal(await echo(socket, 'hello'), 'hello');
  assert.equal(line.link.bytes, 5);
  socket.destroy();
});

void test('a reset ends every connection, refuses new ones, and heals', async () => {
  await using line = await Line.open();
  const socket = line.call();
  await echo(socket, 'hello');
  line.link.cut({ manner: 'reset' });
  await closed(socket);
  const refused = line.call();
  await closed(refused);
  assert.equal(line.link.state, 'cut');
  line.link.heal();
  const again = line.call();
  assert.equal(await echo(again, 'back'), 'back');
  again.destroy();
});

void test('a cut at a byte lets exactly the bytes before it pass', async () => {
  await using line = await Line.open();
  const socket = line.call();
  await echo(socket, 'hello');
  line.link.cut({ manner: 'byte', after: 3 });
  const heard: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => heard.push(chunk));
  socket.write('abcdef');
  await closed(socket);
  assert.equal(Buffer.concat(heard).toString(), 'abc');
  assert.equal(line.link.state, 'cut');
});

void test('silence carries nothing, holds new connections, and goes on where it was', async () => {
  await using line = await Line.open();
  const socket = line.call();
  await echo(socket, 'hello');
  line.link.cut({ manner: 'silence' });
  const fresh = line.call();
  const answers = Promise.all([echo(socket, 'held'), echo(fresh, 'new')]);
  const early = await Promise.race([answers, pause(100, 'nothing')]);
  assert.equal(early, 'nothing');
  line.link.heal();
  assert.deepEqual(await answers, ['held', 'new']);
  socket.destroy();
  fresh.destroy();
});
