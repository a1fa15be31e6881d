/**
 * Looks at every stream of a test tree while it is being hurt: an applied position never moves back, and nothing is
 * confirmed to a provider that is not applied at its subscriber.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { TreeNode } from './tree-node.ts';
import type { Tree } from './tree.ts';

export class PositionWatch {
  readonly #tree: Tree;
  readonly #newSlots: boolean;
  readonly #highest = new Map<string, bigint>();
  readonly #breaches: string[] = [];
  #looks = 0;

  /** newSlots: slots are made anew; one is confirmed at its beginning before its subscriber has noted that. */
  constructor(tree: Tree, options: { readonly newSlots?: boolean } = {}) {
    this.#tree = tree;
    this.#newSlots = options.newSlots ?? false;
  }

  /** What must not be, one line each. */
  get breaches(): readonly string[] {
    return this.#breaches;
  }

  /** How many times a position was read. */
  get looks(): number {
    return this.#looks;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await Promise.all(
        this.#tree.nodes
          .filter(({ parent }) => parent !== null)
          .map(async (provider) => {
            await this.#look(provider);
          }),
      );
      await pause(100, undefined, { signal }).catch(() => {});
    }
  }

  /** A database that is down says nothing; it is asked again. */
  async #look(provider: TreeNode): Promise<void> {
    const subscriber = this.#tree.node(provider.parent ?? '');
    try {
      // The confirmed one first: by the time the applied one is read it can only have grown.
      const [confirmed] = await provider.database.query<{ position: string }>(
        `select confirmed_flush_lsn - '0/0' as position from pg_replication_slots where slot_name = $1`,
        [`tributary_${subscriber.name}`],
      );
      const [applied] = await subscriber.database.query<{ position: string }>(
        `select position - '0/0' as position from tributary.stream where provider = $1`,
        [provider.name],
      );
      if (confirmed && applied) {
        this.#judge(`${subscriber.name} from ${provider.name}`, {
          confirmed: BigInt(confirmed.position),
          applied: BigInt(applied.position),
        });
      }
    } catch (error) {
      if (!(error instanceof Error)) {
        throw error;
      }
    }
  }

  #judge(stream: string, at: { readonly confirmed: bigint; readonly applied: bigint }): void {
    this.#looks += 1;
    const highest = this.#highest.get(stream) ?? 0n;
    if (at.applied < highest) {
      this.#breaches.push(`${stream}: applied moved back by ${highest - at.applied}`);
    }
    if (at.confirmed > at.applied && !this.#newSlots) {
      this.#breaches.push(`${stream}: confirmed is ${at.confirmed - at.applied} ahead of applied`);
    }
    this.#highest.set(stream, at.applied > highest ? at.applied : highest);
  }
}
