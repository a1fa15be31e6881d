/** The tree of datacentres, read from the same topology file the nodes are given. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const File = z.object({
  levels: z.array(z.string()),
  tables: z.array(z.object({ table: z.string(), approved: z.string().optional() })),
  nodes: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      level: z.string(),
      parent: z.string().optional(),
      http: z.object({ port: z.number() }),
    }),
  ),
});

export interface Place {
  readonly name: string;
  readonly title: string;
  readonly level: string;
  /** null: the nation. */
  readonly parent: string | null;
}

export class Country {
  /** Leaf first. */
  readonly levels: readonly string[];
  /** The nation first. */
  readonly places: readonly Place[];

  private constructor(levels: readonly string[], places: readonly Place[]) {
    this.levels = levels;
    this.places = places;
  }

  static async read(file: string): Promise<Country> {
    const { levels, nodes } = File.parse(parse(await readFile(file, 'utf8')));
    const places = nodes.map(({ name, title, level, parent }) => ({
      name,
      title,
      level,
      parent: parent ?? null,
    }));
    return new Country(levels, places);
  }

  get leafLevel(): string {
    return this.levels[0] ?? '';
  }

  get root(): Place {
    return this.#only((place) => place.parent === null);
  }

  place(name: string): Place {
    return this.#only((place) => place.name === name);
  }

  children(name: string): readonly Place[] {
    return this.places.filter((place) => place.parent === name);
  }

  /** The districts at or below a place. */
  districts(name: string): readonly Place[] {
    const children = this.children(name);
    return children.length === 0
      ? [this.place(name)]
      : children.flatMap((child) => this.districts(child.name));
  }

  #only(condition: (place: Place) => boolean): Place {
    const found = this.places.find(condition);
    if (!found) {
      throw new Error('the topology file lacks a node');
    }
    return found;
  }
}

/** The variables in which the topology file expects the secrets of a place. */
export function variables(place: Place): { readonly database: string; readonly provider: string } {
  const prefix = place.name.toUpperCase();
  return { database: `${prefix}_DATABASE_URL`, provider: `${prefix}_PROVIDER_URL` };
}

/** The file's text with its HTTP ports moved, for a second country on one machine. */
export function movePorts(text: string, from: number, to: number): string {
  return text.replaceAll(
    /\bport: (\d+)/g,
    (_match, port: string) => `port: ${Number(port) - from + to}`,
  );
}
