/** Carries out a plan of faults: each begins and ends at its time. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Federation } from '../site/federation.ts';
import { perform, type Command } from './command.ts';
import type { Fault } from './plan.ts';

export interface FaultCounts {
  readonly cuts: number;
  readonly nodeKills: number;
  readonly databaseKills: number;
}

export class FaultRunner {
  readonly #federation: Federation;
  readonly #onFault: (text: string) => void;
  #cuts = 0;
  #nodeKills = 0;
  #databaseKills = 0;

  constructor(federation: Federation, onFault: (text: string) => void) {
    this.#federation = federation;
    this.#onFault = onFault;
  }

  get counts(): FaultCounts {
    return {
      cuts: this.#cuts,
      nodeKills: this.#nodeKills,
      databaseKills: this.#databaseKills,
    };
  }

  /** Resolves when all faults have ended, or at once when told to stop. */
  async run(faults: readonly Fault[], signal: AbortSignal): Promise<void> {
    await Promise.all(faults.map(async (fault) => await this.#one(fault, signal)));
  }

  async #one(fault: Fault, signal: AbortSignal): Promise<void> {
    const sleep = async (seconds: number): Promise<void> => {
      await pause(seconds * 1000, undefined, { signal }).catch(() => {});
    };
    await sleep(fault.at);
    if (signal.aborted) {
      return;
    }
    const [begin, end] = commands(fault);
    await this.#do(begin);
    this.#count(fault);
    await sleep(fault.lastsSeconds);
    if (!signal.aborted) {
      await this.#do(end);
    }
  }

  async #do(command: Command): Promise<void> {
    const { verb, place, after } = command;
    this.#onFault(`${verb} ${place}${after === undefined ? '' : ` after ${after} bytes`}`);
    await perform(this.#federation, command);
  }

  #count(fault: Fault): void {
    if (fault.kind === 'cut') {
      this.#cuts += 1;
    } else if (fault.kind === 'kill_node') {
      this.#nodeKills += 1;
    } else {
      this.#databaseKills += 1;
    }
  }
}

function commands(fault: Fault): [begin: Command, end: Command] {
  const { place } = fault;
  if (fault.kind === 'kill_node') {
    return [
      { verb: 'kill-node', place },
      { verb: 'restart-node', place },
    ];
  }
  if (fault.kind === 'kill_database') {
    return [
      { verb: 'kill-database', place },
      { verb: 'restart-database', place },
    ];
  }
  const begin: Command =
    fault.cut.manner === 'silence'
      ? { verb: 'silence', place }
      : fault.cut.manner === 'byte'
        ? { verb: 'cut', place, after: fault.cut.after }
        : { verb: 'cut', place };
  return [begin, { verb: 'heal', place }];
}
