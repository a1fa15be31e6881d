/**
 * The link between a parent and its child: a TCP proxy that can be cut in three ways and healed. `reset` ends every
 * connection at once and refuses new ones; `byte` lets a number of bytes pass first, so that the cut falls inside a
 * message; `silence` carries nothing and says nothing, as a radio link in the rain does, and goes on where it was.
 */
import { once } from 'node:events';
import { createServer, createConnection, type Server, type Socket } from 'node:net';

export type Cut =
  | { readonly manner: 'reset' }
  | { readonly manner: 'byte'; readonly after: number }
  | { readonly manner: 'silence' };

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export class Link {
  readonly port: number;
  readonly #target: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #waiting = new Set<Socket>();
  #cut: Cut | null = null;
  #left = 0;
  #bytes = 0;

  private constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
    // pauseOnConnect: not a byte is read before it is decided where it goes
    this.#server = createServer({ pauseOnConnect: true }, (near) => this.#accept(near));
  }

  /** Listens on `port` of 127.0.0.1 and carries every connection to `target`. */
  static async open(port: number, target: number): Promise<Link> {
    const link = new Link(port, target);
    link.#server.listen(port, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get state(): 'open' | 'cut' | 'silent' {
    return this.#cut === null ? 'open' : this.#cut.manner === 'silence' ? 'silent' : 'cut';
  }

  /** Bytes carried towards the parent since the start. */
  get bytes(): number {
    return this.#bytes;
  }

  cut(cut: Cut): void {
    this.#cut = cut;
    if (cut.manner === 'reset') {
      this.#reset();
    } else if (cut.manner === 'byte') {
      this.#left = cut.after;
    } else {
      for (const { near, far } of this.#pairs) {
        near.pause();
        far.pause();
      }
    }
  }

  heal(): void {
    const was = this.#cut;
    this.#cut = null;
    if (was?.manner === 'byte') {
      // no byte came: the cut falls now
      this.#reset();
    }
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
    for (const near of this.#waiting) {
      this.#connect(near);
    }
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    this.#reset();
    if (this.#server.listening) {
      this.#server.close();
      await once(this.#server, 'close');
    }
  }

  #accept(near: Socket): void {
    near.on('error', () => {});
    if (this.#cut === null) {
      this.#connect(near);
    } else if (this.#cut.manner === 'silence') {
      this.#waiting.add(near);
      near.once('close', () => this.#waiting.delete(near));
    } else {
      near.resetAndDestroy();
    }
  }

  #connect(near: Socket): void {
    if (near.destroyed) {
      return;
    }
    const far = createConnection({ port: this.#target, host: '127.0.0.1' });
    const pair = { near, far };
    this.#pairs.add(pair);
    far.on('error', () => {});
    far.on('data', (chunk: Buffer) => this.#carryUp(chunk, pair));
    near.on('data', (chunk: Buffer) => this.#write(far, chunk, near));
    near.once('end', () => far.end());
    far.once('end', () => near.end());
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.once('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.resume();
  }

  #carryUp(chunk: Buffer, pair: Pair): void {
    const { near, far } = pair;
    if (this.#cut?.manner === 'byte') {
      if (chunk.length >= this.#left) {
        const last = chunk.subarray(0, this.#left);
        this.#cut = { manner: 'reset' };
        this.#bytes += last.length;
        // the bytes before the cut must arrive, so that what follows is missing in the middle
        this.#pairs.delete(pair);
        far.pause();
        near.end(last, () => far.resetAndDestroy());
        this.#reset();
        return;
      }
      this.#left -= chunk.length;
    }
    this.#bytes += chunk.length;
    this.#write(near, chunk, far);
  }

  #reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    for (const near of this.#waiting) {
      near.resetAndDestroy();
    }
  }

  /** Forwards with backpressure: the source waits while the target's buffer is full. */
  #write(target: Socket, chunk: Buffer, source: Socket): void {
    if (target.writable && !target.write(chunk)) {
      source.pause();
      target.once('drain', () => {
        if (this.#cut?.manner !== 'silence') {
          source.resume();
        }
      });
    }
  }
}
