/** This program's version, from package.json beside node/. */
import { readFileSync } from 'node:fs';

const file = new URL('../../package.json', import.meta.url);

export const version: string = (
  JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }
).version;
