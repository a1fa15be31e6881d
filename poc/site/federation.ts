/** The seven datacentres of the country: made, prepared, started, restored and taken away together. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { movePorts, variables, type Country } from '../country.ts';
import { firstPort, type Ports } from './ports.ts';
import { database, initialise, PostgresServer } from './postgres.ts';
import { roles, Site, type Passwords } from './site.ts';
import type { Workshop } from './workshop.ts';

const schemaFile = new URL('../schema.sql', import.meta.url);

export interface FederationOptions {
  readonly country: Country;
  readonly workshop: Workshop;
  readonly ports: Ports;
  /** The committed topology file. */
  readonly topology: string;
  readonly onProgress: (text: string) => void;
  readonly onLine: (place: string, line: string) => void;
}

export class Federation {
  readonly country: Country;
  readonly sites: readonly Site[];

  private constructor(country: Country, sites: readonly Site[]) {
    this.country = country;
    this.sites = sites;
  }

  /** Makes the clusters and the links; nothing runs yet. */
  static async build(options: FederationOptions): Promise<Federation> {
    const { country, workshop, ports, onProgress } = options;
    onProgress('initialising PostgreSQL once, for seven copies');
    const superuser = makePassword();
    const template = await makeTemplate(workshop, superuser, ports.database(0));
    const topology = await topologyFile(options);
    const passwords = new Map(
      country.places.map((place) => [place.name, sitePasswords(superuser)] as const),
    );
    const sites: Site[] = [];
    for (const [index, place] of country.places.entries()) {
      const home = await workshop.folder(place.name);
      await workshop.copy(template, join(home, 'data'));
      const children = country
        .children(place.name)
        .map((child) => [
          variables(child).provider,
          providerUrl(
            ports.link(country.places.indexOf(child)),
            passwords.get(child.name)?.reader ?? '',
          ),
        ]);
      sites.push(
        await Site.build({
          place,
          directory: join(home, 'data'),
          passwords: passwords.get(place.name) ?? sitePasswords(superuser),
          ports: {
            http: ports.http(index),
            database: ports.database(index),
            link: ports.link(index),
          },
          topology,
          children: Object.fromEntries(children) as Record<string, string>,
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

  /** For the first time: every place gets its own passwords. */
  async startDatabases(): Promise<void> {
    await Promise.all(this.sites.map(async (site) => await site.open()));
  }

  /** Three at a time: each is a process of its own, and the machine may have two cores. */
  async prepare(signal: AbortSignal): Promise<void> {
    const waiting = [...this.sites];
    const work = async (): Promise<void> => {
      for (let site = waiting.shift(); site && !signal.aborted; site = waiting.shift()) {
        await site.node.prepare(site.database.url(), signal);
      }
    };
    const ends = await Promise.allSettled([work(), work(), work()]);
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure) {
      throw failure.reason;
    }
  }

  startNodes(): void {
    for (const site of this.sites) {
      site.node.start();
    }
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
}

function sitePasswords(superuser: string): Passwords {
  return {
    superuser,
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

/**
 * One cluster with roles, database and schema, stopped again. Its copies share a system identifier, which seven servers
 * installed one by one would not; names tell the nodes apart.
 */
async function makeTemplate(workshop: Workshop, password: string, port: number): Promise<string> {
  const directory = await initialise(workshop, password);
  const server = new PostgresServer({ directory, port, password });
  try {
    await server.start();
    await server.execute(
      `create role ${roles.reader} login replication;
       create role ${roles.writer} login;
       create role ${roles.application} login;`,
      'postgres',
    );
    await server.execute(`create database ${database}`, 'postgres');
    await server.execute(
      `${await readFile(schemaFile, 'utf8')}
       grant select, insert, update, delete on all tables in schema public to ${roles.application};`,
    );
  } finally {
    await server.stop();
  }
  return directory;
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
