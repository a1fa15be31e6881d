/** One block of ports on 127.0.0.1 for a run, below the range from which systems take ports for outgoing connections. */
import { createServer } from 'node:net';

export const firstPort = 7400;
const blockSize = 40;

/** The page's port, then HTTP ports of the nodes, then databases, then links; seven places at most. */
export class Ports {
  readonly base: number;

  constructor(base: number) {
    this.base = base;
  }

  /** The wanted block, or the first free one from 7400 on. @throws Error when it is taken. */
  static async find(wanted: number | null, places: number): Promise<Ports> {
    const bases =
      wanted === null
        ? Array.from({ length: 20 }, (_, block) => firstPort + block * blockSize)
        : [wanted];
    for (const base of bases) {
      const ports = new Ports(base);
      if (await ports.#free(places)) {
        return ports;
      }
    }
    throw new Error(
      wanted === null
        ? 'no free block of ports from 7400 on; name one with --ports'
        : `a port from ${wanted} on is taken; name another first port with --ports`,
    );
  }

  get page(): number {
    return this.base;
  }

  http(index: number): number {
    return this.base + 1 + index;
  }

  database(index: number): number {
    return this.base + 11 + index;
  }

  link(index: number): number {
    return this.base + 21 + index;
  }

  async #free(places: number): Promise<boolean> {
    const indexes = Array.from({ length: places }, (_, index) => index);
    const all = [
      this.page,
      ...indexes.flatMap((index) => [this.http(index), this.database(index), this.link(index)]),
    ];
    return (await Promise.all(all.map(isFree))).every(Boolean);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
