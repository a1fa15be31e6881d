/** Tells a process of a test where to die, before it starts or while it runs, and knows where it has died. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export class CrashSwitch {
  readonly #file: string;

  /** The file is the process's alone; its directory exists. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Options of node itself. */
  get execArgv(): readonly string[] {
    return ['--import', pathToFileURL(join(import.meta.dirname, 'crash-hooks.ts')).href];
  }

  get environment(): Readonly<Record<string, string>> {
    return { TEST_CRASH_FILE: this.#file };
  }

  /** From now on the process dies at the point, when it passes it for the `passing`th time from now. Once. */
  async arm(point: string, passing = 1): Promise<void> {
    const draft = `${this.#file}.draft`;
    await writeFile(draft, `${point} ${passing} ${randomUUID()}`);
    await rename(draft, this.#file);
  }

  async disarm(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  /** Points at which it died, the latest last. */
  async reached(): Promise<readonly string[]> {
    const text = await readFile(`${this.#file}.reached`, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }
}
