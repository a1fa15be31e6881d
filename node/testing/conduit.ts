/** One connection through a Proxy: two directions, each a bounded queue between two sockets. */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What all connections of a proxy share: its manners and its counters. */
export interface Pipe {
  silent: boolean;
  delayMs: number;
  bytesPerSecond: number;
  toServer: number;
  fromServer: number;
  /** How often a client spoke after the server had. */
  turns: number;
  serverSpoke: boolean;
  /** performance.now() until which the rate limit has spent its bytes. */
  pacedUntil: number;
  cutAfter: { left: number; readonly act: () => void } | null;
}

type Side = 'toServer' | 'fromServer';

interface Held {
  readonly at: number;
  /** null: the end. */
  readonly bytes: Buffer | null;
}

const queueMark = 256 * 1024;

export class Conduit {
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pipe: Pipe;
  #destroyed = false;
  #wake = Promise.withResolvers<void>();

  constructor(client: Socket, port: number, pipe: Pipe) {
    this.#client = client;
    this.#pipe = pipe;
    this.#server = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    this.closed = Promise.all([
      this.#carry('toServer', client, this.#server),
      this.#carry('fromServer', this.#server, client),
    ]).then(() => {
      this.destroy();
    });
  }

  /** Both ends see the connection cut. */
  destroy(): void {
    this.#destroyed = true;
    this.#client.destroy();
    this.#server.destroy();
    this.wake();
  }

  /** The manners have changed. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  async #carry(side: Side, from: Socket, to: Socket): Promise<void> {
    const queue: Held[] = [];
    let queued = 0;
    let arrived = Promise.withResolvers<void>();
    const hold = (bytes: Buffer | null): void => {
      this.#countTurn(side);
      queue.push({ at: performance.now(), bytes });
      queued += bytes?.length ?? 0;
      if (queued > queueMark) {
        from.pause();
      }
      arrived.resolve();
    };
    from.on('data', hold);
    from.on('end', () => {
      hold(null);
    });
    from.on('error', () => {});
    from.on('close', () => {
      hold(null);
    });
    for (;;) {
      const held = queue.shift();
      if (!held) {
        arrived = Promise.withResolvers<void>();
        await arrived.promise;
        continue;
      }
      await this.#ready(held, side);
      if (this.#destroyed) {
        return;
      }
      if (held.bytes === null) {
        // A reset is passed on as one: only a clean end may look clean on the other side.
        if (from.errored) {
          to.resetAndDestroy();
        } else {
          to.end();
        }
        return;
      }
      queued -= held.bytes.length;
      await this.#deliver(side, held.bytes, to);
      if (queued <= queueMark) {
        from.resume();
      }
    }
  }

  #countTurn(side: Side): void {
    if (side === 'toServer' && this.#pipe.serverSpoke) {
      this.#pipe.turns += 1;
    }
    this.#pipe.serverSpoke = side === 'fromServer';
  }

  /** Waits as long as the link is silent, slow or far. */
  async #ready(held: Held, side: Side): Promise<void> {
    while (this.#pipe.silent && !this.#destroyed) {
      await this.#wake.promise;
    }
    const now = performance.now();
    let due = held.at + this.#pipe.delayMs;
    if (side === 'fromServer' && held.bytes && this.#pipe.bytesPerSecond !== Infinity) {
      const start = Math.max(now, this.#pipe.pacedUntil);
      this.#pipe.pacedUntil = start + (held.bytes.length / this.#pipe.bytesPerSecond) * 1000;
      due = Math.max(due, this.#pipe.pacedUntil);
    }
    if (due > now && !this.#destroyed) {
      await Promise.race([pause(due - now), this.#wake.promise]);
    }
  }

  async #deliver(side: Side, bytes: Buffer, to: Socket): Promise<void> {
    const cut = side === 'fromServer' ? this.#pipe.cutAfter : null;
    if (cut && cut.left <= bytes.length) {
      await write(to, bytes.subarray(0, cut.left));
      this.#pipe[side] += cut.left;
      cut.act();
      return;
    }
    if (cut) {
      cut.left -= bytes.length;
    }
    this.#pipe[side] += bytes.length;
    await write(to, bytes);
  }
}

/** Resolves when the kernel has the bytes, or the socket is gone. */
async function write(to: Socket, bytes: Buffer): Promise<void> {
  const done = Promise.withResolvers<void>();
  const resolve = (): void => {
    done.resolve();
  };
  to.once('close', resolve);
  to.write(bytes, resolve);
  await done.promise;
  to.off('close', resolve);
}
