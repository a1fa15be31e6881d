/** One datacentre: its PostgreSQL, the Tributary process beside it, and the link its parent reaches it by. */
import { variables, type Place } from '../country.ts';
import { Link, type Cut } from './link.ts';
import { NodeProcess } from './node-process.ts';
import { database, PostgresServer } from './postgres.ts';

export const roles = {
  writer: 'tributary_writer',
  reader: 'tributary_reader',
  /** The people of the place who enter data. */
  application: 'health',
} as const;

export interface Passwords {
  readonly superuser: string;
  readonly writer: string;
  readonly reader: string;
  readonly application: string;
}

export interface SiteOptions {
  readonly place: Place;
  /** A directory for the database's files, owned by whom PostgreSQL runs as. */
  readonly home: string;
  readonly passwords: Passwords;
  readonly ports: {
    readonly http: number;
    readonly database: number;
    readonly link: number;
  };
  readonly topology: string;
  /** Provider secrets of the children. */
  readonly children: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

export class Site {
  readonly place: Place;
  readonly httpPort: number;
  readonly database: PostgresServer;
  readonly node: NodeProcess;
  /** null at the nation. */
  readonly link: Link | null;
  readonly #passwords: Passwords;
  #unexpectedExits = 0;

  private constructor(options: SiteOptions, link: Link | null) {
    const { place, passwords, ports } = options;
    this.place = place;
    this.httpPort = ports.http;
    this.link = link;
    this.#passwords = passwords;
    this.database = new PostgresServer({
      home: options.home,
      port: ports.database,
      password: passwords.superuser,
    });
    this.node = new NodeProcess({
      topology: options.topology,
      node: place.name,
      secrets: {
        [variables(place).database]: this.database.url({
          user: roles.writer,
          password: passwords.writer,
        }),
        ...options.children,
      },
      onLine: options.onLine,
      onExit: (code) => {
        this.#unexpectedExits += 1;
        options.onLine(`ended by itself with code ${code ?? 'none'}; started again in 2 s`);
      },
    });
  }

  static async build(options: SiteOptions): Promise<Site> {
    const { link, database: target } = options.ports;
    return new Site(options, options.place.parent === null ? null : await Link.open(link, target));
  }

  /** Installs PostgreSQL here: initdb, start, roles, the application's database and schema. */
  async createDatabase(schema: string): Promise<void> {
    await this.database.initialise();
    await this.database.start();
    const { writer, reader, application } = this.#passwords;
    await this.database.execute(
      `create role ${roles.writer} login password '${writer}';
       create role ${roles.reader} login replication password '${reader}';
       create role ${roles.application} login password '${application}';`,
      'postgres',
    );
    await this.database.execute(`create database ${database}`, 'postgres');
    await this.database.execute(
      `${schema}
       grant select, insert, update, delete on all tables in schema public to ${roles.application};`,
    );
  }

  /** How often the process ended although nobody here killed it. */
  get unexpectedExits(): number {
    return this.#unexpectedExits;
  }

  get applicationUrl(): string {
    return this.database.url({ user: roles.application, password: this.#passwords.application });
  }

  /** What GET /api/status of the node answers; null: nothing, now. */
  async status(signal: AbortSignal): Promise<unknown> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.httpPort}/api/status`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(1500)]),
      });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  cut(cut: Cut): void {
    if (this.link === null) {
      throw new Error(`${this.place.name} has no parent, so no link`);
    }
    this.link.cut(cut);
  }

  heal(): void {
    this.link?.heal();
  }

  /** Everything that was cut or killed here is whole again. */
  async restore(): Promise<void> {
    this.heal();
    if (!this.database.running) {
      await this.database.start();
    }
    this.node.start();
  }

  async stop(): Promise<void> {
    await this.node.stop();
    await this.database.stop();
    await this.link?.close();
  }

  abandon(): void {
    this.node.abandon();
    this.database.abandon();
  }
}
