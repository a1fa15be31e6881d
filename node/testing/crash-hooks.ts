/**
 * For `node --import`: every crash point of the project's own files becomes a call. While the file that TEST_CRASH_FILE
 * names says so, the process dies at the point, at the passing that it says, as by `kill -9`. See `crash-switch.ts`.
 */
import { appendFileSync, readFileSync, unlinkSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { crashSymbol, withCrashPoints } from './crash-points.ts';

const file = process.env['TEST_CRASH_FILE'];
const own = new URL('..', import.meta.url).href;
const passed = new Map<string, number>();

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith(own) || url === import.meta.url || loaded.source === undefined) {
      return loaded;
    }
    return { ...loaded, source: withCrashPoints(textOf(loaded.source)) };
  },
});

Object.defineProperty(globalThis, Symbol.for(crashSymbol), { value: pass });

/** The file is read at each passing, so that a process that has long been running can be told to die. */
function pass(name: string): void {
  const order = readOrder();
  if (!file || !order) {
    return;
  }
  const [wanted, passing, mark] = order.split(' ');
  if (wanted !== name || !mark) {
    return;
  }
  const times = (passed.get(mark) ?? 0) + 1;
  passed.set(mark, times);
  if (times >= Number(passing)) {
    appendFileSync(`${file}.reached`, `${name}\n`);
    unlinkSync(file);
    process.kill(process.pid, 'SIGKILL');
  }
}

function readOrder(): string | null {
  try {
    return file ? readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}

function textOf(source: string | ArrayBufferLike | NodeJS.TypedArray): string {
  if (typeof source === 'string') {
    return source;
  }
  return source instanceof ArrayBuffer || source instanceof SharedArrayBuffer
    ? Buffer.from(source).toString('utf8')
    : Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString('utf8');
}
