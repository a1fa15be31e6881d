/** The seven datacentres of the country: made, prepared, started, restored and taken away together. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { movePorts, variables, type Country, type Place } from '../country.ts';
import { firstPort, type Ports } from './ports.ts';
import { database } from './postgres.ts';
import { roles, Site, type Passwords } from './site.ts';
import type { Workshop } from './workshop.ts';

/** As much of a node's status as is decided upon here. */
const Status = z.object({
  streams: z.array(z.object({ provider: z.string(), state: z.string() })),
});

const schemaFile = new URL('../schema.sql', import.meta.url);

export interface FederationOptions {
  readonly country: Country;
  readonly workshop: Workshop;
  readonly ports: Ports;
  /** The committed topology file. */
  readonly topology: string;
  readonly onLine: (place: string, line: string) => void;
}

export class Federation {
  readonly country: Country;
  readonly sites: readonly Site[];

  private constructor(country: Country, sites: readonly Site[]) {
    this.country = country;
    this.sites = sites;
  }

  /** Makes the links and the directories; no process runs yet. */
  static async build(options: FederationOptions): Promise<Federation> {
    const { country, ports, workshop } = options;
    const topology = await topologyFile(options);
    const passwords = new Map(country.places.map(({ name }) => [name, sitePasswords()] as const));
    const passwordsOf = ({ name }: Place): Passwords => passwords.get(name) ?? sitePasswords();
    const sites: Site[] = [];
    for (const [index, place] of country.places.entries()) {
      const secrets = country.children(place.name).map((child) => {
        const port = ports.link(country.places.indexOf(child));
        return [variables(child).provider, providerUrl(port, passwordsOf(child).reader)] as const;
      });
      sites.push(
        await Site.build({
          place,
          home: await workshop.folder(place.name),
          passwords: passwordsOf(place),
          ports: {
            http: ports.http(index),
            database: ports.database(index),
            link: ports.link(index),
          },
          topology,
          children: Object.fromEntries(secrets),
          onLine: (line) => options.onLine(place.name, line),
        }),
      );
    }
    return new Federation(country, sites);
  }

  site(name: string): Site {
    const found = this.sites.find((site) => site.place.name === name);
    if (!found) {
      throw new Error(`there is no place named ${name}`);
    }
    return found;
  }

  get nation(): Site {
    return this.site(this.country.root.name);
  }

  get districts(): readonly Site[] {
    return this.sites.filter((site) => site.place.level === this.country.leafLevel);
  }

  /** initdb, roles, database and schema of each place: seven servers installed one by one, as in real life. */
  async createDatabases(signal: AbortSignal): Promise<void> {
    const schema = await readFile(schemaFile, 'utf8');
    await this.#each(signal, async (site) => await site.createDatabase(schema));
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await this.#each(signal, async (site) => await site.node.prepare(site.database.url(), signal));
  }

  startNodes(): void {
    for (const site of this.sites) {
      site.node.start();
    }
  }

  /** The children whose parent does not yet stream from them. */
  async waiting(signal: AbortSignal): Promise<string[]> {
    const found = await Promise.all(
      this.sites.map(async (site) => {
        const children = this.country.children(site.place.name).map(({ name }) => name);
        if (children.length === 0) {
          return [];
        }
        const status = Status.safeParse(await site.status(signal));
        const flowing = (status.data?.streams ?? [])
          .filter(({ state }) => state === 'streaming')
          .map(({ provider }) => provider);
        return children.filter((name) => !flowing.includes(name));
      }),
    );
    return found.flat();
  }

  async restore(): Promise<void> {
    await Promise.all(this.sites.map(async (site) => await site.restore()));
  }

  /** Takes everything away. All are stopped even if one fails. @throws AggregateError with what did not stop. */
  async stop(): Promise<void> {
    const ends = await Promise.allSettled(this.sites.map(async (site) => await site.stop()));
    const failures = ends.flatMap((end) =>
      end.status === 'rejected' ? [end.reason as unknown] : [],
    );
    if (failures.length > 0) {
      throw new AggregateError(failures, 'not everything could be stopped');
    }
  }

  abandon(): void {
    for (const site of this.sites) {
      site.abandon();
    }
  }

  /** Three at a time: each starts processes, and the machine may have two cores. Those begun end before it rejects. */
  async #each(signal: AbortSignal, work: (site: Site) => Promise<void>): Promise<void> {
    const waiting = [...this.sites];
    const lane = async (): Promise<void> => {
      for (let site = waiting.shift(); site && !signal.aborted; site = waiting.shift()) {
        await work(site);
      }
    };
    const ends = await Promise.allSettled([lane(), lane(), lane()]);
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure) {
      throw failure.reason;
    }
  }
}

function sitePasswords(): Passwords {
  return {
    superuser: makePassword(),
    writer: makePassword(),
    reader: makePassword(),
    application: makePassword(),
  };
}

function makePassword(): string {
  return randomBytes(12).toString('hex');
}

function providerUrl(port: number, password: string): string {
  return `postgres://${roles.reader}:${password}@127.0.0.1:${port}/${database}`;
}

/** The committed file; a copy with other ports where its own are taken. */
async function topologyFile({ topology, ports, workshop }: FederationOptions): Promise<string> {
  if (ports.base === firstPort) {
    return topology;
  }
  const copy = workshop.path('poc.yaml');
  await writeFile(copy, movePorts(await readFile(topology, 'utf8'), firstPort, ports.base));
  return copy;
}

export const committedTopology: string = fileURLToPath(
  new URL('../../topology/poc.yaml', import.meta.url),
);
