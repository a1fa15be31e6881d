/** An application of a datacentre, for probes: a server that can be stopped, started and given another certificate. */
import { once } from 'node:events';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer } from 'node:https';
import { selfSigned } from './certificate.ts';
import { freePort } from './free-port.ts';

const answer: RequestListener = (_request, response) => {
  response.end('a page');
};

export class WebApplication implements AsyncDisposable {
  readonly port: number;
  #server: Server | null = null;
  #secure = false;

  private constructor(port: number) {
    this.port = port;
  }

  /** Online, with a certificate that holds until then; null: plain http. */
  static async start(until: Date | null): Promise<WebApplication> {
    const application = new WebApplication(await freePort());
    await application.serve(until);
    return application;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${this.port}/`;
  }

  /** Online (again), with a new certificate. */
  async serve(until: Date | null): Promise<void> {
    await this.stop();
    this.#secure = until !== null;
    const server = until ? createServer(selfSigned(until), answer) : createPlainServer(answer);
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
