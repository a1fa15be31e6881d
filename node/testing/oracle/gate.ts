/** A provider whose parts wait while the gate is shut: what is committed meanwhile arrives together. */
import type { Part } from '../../pgoutput/part.ts';
import type { Lsn } from '../../pgoutput/lsn.ts';
import type { Provider, StreamOptions } from '../../provider/provider.ts';

export class Gate {
  #shut: PromiseWithResolvers<void> | null = null;

  shut(): void {
    this.#shut ??= Promise.withResolvers();
  }

  open(): void {
    this.#shut?.resolve();
    this.#shut = null;
  }

  async passed(): Promise<void> {
    await this.#shut?.promise;
  }
}

export function gated(provider: Provider, gate: Gate): Provider {
  return {
    describe: async () => await provider.describe(),
    prove: async (known) => await provider.prove(known),
    makeSlot: async () => await provider.makeSlot(),
    dropSlot: async () => await provider.dropSlot(),
    stream: (from, options) => heldStream(provider, gate, { from, ...options }),
    hasten: (position) => provider.hasten(position),
    isLevel: async (since) => await provider.isLevel(since),
    openReader: async () => await provider.openReader(),
    confirm: (position) => provider.confirm(position),
    progress: () => provider.progress(),
    [Symbol.asyncDispose]: async () => await provider[Symbol.asyncDispose](),
  };
}

async function* heldStream(
  provider: Provider,
  gate: Gate,
  { from, ...options }: StreamOptions & { readonly from: Lsn },
): AsyncGenerator<Part, void, undefined> {
  for await (const part of provider.stream(from, options)) {
    await gate.passed();
    yield part;
  }
}
