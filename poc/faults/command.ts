/** What a person or the fault plan does to the country; the same words on stdin, on the page and in the log. */
import type { Federation } from '../site/federation.ts';
import type { Cut } from '../site/link.ts';

export const verbs = [
  'cut',
  'silence',
  'heal',
  'kill-node',
  'restart-node',
  'kill-database',
  'restart-database',
] as const;

export type Verb = (typeof verbs)[number];

export interface Command {
  readonly verb: Verb;
  readonly place: string;
  /** Only of `cut`: bytes that pass before it falls; absent: at once. */
  readonly after?: number;
}

export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

/** `cut amboro`, `cut amboro 5000`, `kill-database coast`. @throws CommandError saying what to write. */
export function parseCommand(line: string, places: readonly string[]): Command {
  const [verb, place, after, ...rest] = line.trim().split(/\s+/);
  const known = verbs.find((name) => name === verb);
  if (!known) {
    throw new CommandError(`no such command; there are ${verbs.join(', ')}`);
  }
  if (place === undefined || !places.includes(place)) {
    throw new CommandError(`${known} needs a place: ${places.join(', ')}`);
  }
  if (after === undefined && rest.length === 0) {
    return { verb: known, place };
  }
  if (known !== 'cut' || rest.length > 0 || !/^\d{1,9}$/.test(after ?? '')) {
    throw new CommandError('only `cut PLACE BYTES` takes a third word, a number of bytes');
  }
  return { verb: known, place, after: Number(after) };
}

/** @throws CommandError when it makes no sense here, such as a cut above the nation. */
export async function perform(federation: Federation, command: Command): Promise<void> {
  const site = federation.site(command.place);
  switch (command.verb) {
    case 'cut':
    case 'silence':
      if (site.link === null) {
        throw new CommandError(`${command.place} has no parent, so no link`);
      }
      return site.link.cut(cutOf(command));
    case 'heal':
      return site.heal();
    case 'kill-node':
      return await site.node.kill();
    case 'restart-node':
      return site.node.start();
    case 'kill-database':
      return await site.database.kill();
    case 'restart-database':
      return site.database.running ? undefined : await site.database.start();
    default:
      throw new CommandError(`unknown command ${String(command.verb satisfies never)}`);
  }
}

function cutOf({ verb, after }: Command): Cut {
  if (verb === 'silence') {
    return { manner: 'silence' };
  }
  return after === undefined ? { manner: 'reset' } : { manner: 'byte', after };
}
