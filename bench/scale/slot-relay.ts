/**
 * Children that share a server. A slot is named after the subscriber and a server has it once, while in production every
 * child has a server of its own: this relay gives each database's slot a name of its own, of the same length, on the way
 * to the server and back. It reads the start-up packet for the database's name and replaces bytes, nothing else.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Renaming {
  /** The slot's name as the subscriber says it. */
  readonly slot: string;
  /** The name a database's slot has at the server; as long as `slot`. */
  readonly slotOf: (database: string) => string;
}

export class SlotRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port: number, renaming: Renaming): Promise<SlotRelay> {
    const server = createServer({ noDelay: true });
    const relay = new SlotRelay(server);
    server.on('connection', (client) => {
      relay.#join(client, connect({ port, host: '127.0.0.1', noDelay: true }), renaming);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await closed;
  }

  #join(client: Socket, server: Socket, renaming: Renaming): void {
    const said = Buffer.from(renaming.slot);
    let meant: Buffer | null = null;
    client.on('data', (bytes) => {
      meant ??= Buffer.from(renaming.slotOf(databaseOf(bytes)));
      replace(bytes, said, meant);
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (meant) {
        replace(bytes, meant, said);
      }
      client.write(bytes);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}

/** Of a start-up packet: names and values, each ended by a zero byte. */
function databaseOf(packet: Buffer): string {
  const words = packet.toString('utf8', 8).split('\0');
  return words[words.indexOf('database') + 1] ?? '';
}

function replace(bytes: Buffer, from: Buffer, to: Buffer): void {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length)) {
    to.copy(bytes, at);
  }
}
