/** All benchmarks, in the order they run. A new one is a module with a Benchmark and a line here. */
import type { Benchmark } from './benchmark.ts';
import { chain } from './chain/chain.ts';
import { copy } from './copy/copy.ts';
import { drain } from './drain/drain.ts';
import { scale } from './scale/scale.ts';
import { steady } from './steady/steady.ts';

export const benchmarks: readonly Benchmark[] = [drain, copy, chain, scale, steady];
