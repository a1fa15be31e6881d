/** The event loop's delay as the measured process itself reports it among its metrics. */

/**
 * p99 since the metrics were last asked for, milliseconds. The sampler asks every 10 ms, so that is what an idle loop
 * shows.
 */
export async function eventLoopDelayMs(httpPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  const text = await response.text();
  return Number(/^nodejs_eventloop_lag_p99_seconds ([\d.e+-]+)$/m.exec(text)?.[1]) * 1000;
}
