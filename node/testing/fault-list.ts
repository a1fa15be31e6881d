/** The faults `npm run faults` puts into the source one by one, each with the test that must turn red. */
import type { Fault } from './fault.ts';

export const faults: readonly Fault[] = [];
