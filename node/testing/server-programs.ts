/** Programs that come with a distribution's PostgreSQL and not with the npm packages: pg_dump, pg_restore, pg_upgrade. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { identity, installedMajors, superuser } from './data-directory.ts';

const run = promisify(execFile);

/** Where Debian and Ubuntu keep the programs of a major. */
export function programs(major: number): string {
  return `/usr/lib/postgresql/${major}/bin`;
}

/** The lowest major of which the servers of the tests and all of these programs are here; null: none. */
export function majorWith(...names: readonly string[]): number | null {
  const has = (major: number): boolean =>
    names.every((name) => existsSync(join(programs(major), name)));
  return installedMajors().find(has) ?? null;
}

/** As the superuser of the test's servers. @throws with the end of what the program said. */
export async function runProgram(
  path: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  const env = { PATH: process.env['PATH'], PGUSER: superuser.name, PGPASSWORD: superuser.password };
  try {
    await run(path, args, { ...identity(), cwd, env, maxBuffer: 64 << 20 });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    const said = `${stdout ?? ''}\n${stderr ?? ''}`.slice(-4000);
    throw new Error(`${path} failed: ${said}`, { cause: error });
  }
}
