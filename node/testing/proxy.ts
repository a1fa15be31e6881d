/**
 * A link that can be hurt: a TCP proxy before a local port that counts bytes, cuts at any byte, refuses, falls silent,
 * delays and limits the rate. What is hurt is the link, never the two ends: both see what a bad network shows them.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Conduit, type Pipe } from './conduit.ts';

export interface ProxyOptions {
  /** The port forwarded to, on 127.0.0.1; asked at every connection, since a server may come back elsewhere. */
  readonly to: () => number;
}

export class Proxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #to: () => number;
  readonly #open = new Set<Conduit>();
  readonly #pipe: Pipe = {
    silent: false,
    delayMs: 0,
    bytesPerSecond: Infinity,
    toServer: 0,
    fromServer: 0,
    turns: 0,
    serverSpoke: true,
    pacedUntil: 0,
    cutAfter: null,
  };
  #redirected: number | null = null;
  #refusing = false;
  #accepted = 0;
  #cuts = 0;

  private constructor(server: Server, to: () => number) {
    this.#server = server;
    this.#to = to;
    server.on('connection', (socket) => {
      this.#accept(socket);
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: ProxyOptions): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new Proxy(server, options.to);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Bytes delivered since the start, over all connections. */
  get bytes(): { readonly toServer: number; readonly fromServer: number } {
    return { toServer: this.#pipe.toServer, fromServer: this.#pipe.fromServer };
  }

  /** How often a client spoke after the server had. */
  get turns(): number {
    return this.#pipe.turns;
  }

  get connections(): { readonly open: number; readonly accepted: number; readonly cut: number } {
    return { open: this.#open.size, accepted: this.#accepted, cut: this.#cuts };
  }

  /**
   * Cuts every connection; new ones go to another port, as when an address has come to mean another server. null: to
   * the port of the beginning again.
   */
  redirect(port: number | null): void {
    this.#redirected = port;
    this.cut();
  }

  /** Cuts every connection at once; new ones are let through. Returns how many were cut. */
  cut(): number {
    const cut = this.#open.size;
    for (const conduit of this.#open) {
      conduit.destroy();
    }
    this.#cuts += cut;
    return cut;
  }

  /**
   * Lets exactly `bytes` more come from the server, over all connections together, then cuts every connection; the
   * client receives those bytes. Resolves when it has happened.
   */
  async cutAfter(bytes: number): Promise<void> {
    const cut = Promise.withResolvers<void>();
    const act = (): void => {
      this.#pipe.cutAfter = null;
      this.cut();
      cut.resolve();
    };
    if (bytes <= 0) {
      act();
    } else {
      this.#pipe.cutAfter = { left: bytes, act };
    }
    await cut.promise;
  }

  /** Cuts all and resets every new connection, until `heal()`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Forwards nothing and says nothing, also for new connections, until `heal()`; then what was held flows on. */
  silence(): void {
    this.#pipe.silent = true;
  }

  /** Holds every byte back this long in each direction. */
  delay(ms: number): void {
    this.#pipe.delayMs = ms;
  }

  /** At most so many bytes per second from the server, over all connections together. */
  limit(bytesPerSecond: number): void {
    this.#pipe.bytesPerSecond = bytesPerSecond;
  }

  /** A perfect link again: no refusal, silence, delay, limit or pending cut. */
  heal(): void {
    this.#refusing = false;
    Object.assign(this.#pipe, {
      silent: false,
      delayMs: 0,
      bytesPerSecond: Infinity,
      cutAfter: null,
    });
    for (const conduit of this.#open) {
      conduit.wake();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    this.#accepted += 1;
    const conduit = new Conduit(client, this.#redirected ?? this.#to(), this.#pipe);
    this.#open.add(conduit);
    conduit.closed.then(
      () => this.#open.delete(conduit),
      () => {},
    );
  }
}
