/** A file system of a size of its own, to be filled. Mounting takes root on Linux. */
import { execFile, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { own } from './data-directory.ts';
import { undoAtExit } from './leftovers.ts';

const run = promisify(execFile);

export class SmallDisk implements AsyncDisposable {
  readonly path: string;
  readonly #ended: () => void;

  private constructor(path: string) {
    this.path = path;
    this.#ended = undoAtExit(() => {
      execFileSync('umount', ['--lazy', path]);
      rmSync(path, { recursive: true, force: true });
    });
  }

  /** Null: this user may not mount. */
  static async create(megabytes: number): Promise<SmallDisk | null> {
    const path = await mkdtemp(join(tmpdir(), 'tributary-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
    } catch {
      await rm(path, { recursive: true });
      return null;
    }
    await own(path);
    return new SmallDisk(path);
  }

  /** Leaves this share of it free. */
  async fill(freeShare: number): Promise<void> {
    const { bsize, blocks, bavail } = await statfs(this.path);
    const bytes = bsize * (bavail - Math.floor(blocks * freeShare));
    await writeFile(this.#filler, Buffer.alloc(Math.max(0, bytes), 'x'));
  }

  async empty(): Promise<void> {
    await rm(this.#filler, { force: true });
  }

  get #filler(): string {
    return join(this.path, 'filler');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['--lazy', this.path]);
    await rm(this.path, { recursive: true, force: true });
    this.#ended();
  }
}
