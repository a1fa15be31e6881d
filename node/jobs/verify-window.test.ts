import { test } from 'node:test';
import { Background } from '../testing/background.ts';
import { until } from '../testing/until.ts';
import { VerifyWindow, type Window } from './verify-window.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const never: Window = { expression: '0 0 1 1 *', zone: 'UTC' };

void test('the window asks at its time, in its zone, and follows a changed file', async () => {
  let window: Window = never;
  let asked = 0;
  const verifyWindow = new VerifyWindow({
    window: () => window,
    ask: async () => {
      asked += 1;
      await Promise.resolve();
      throw new Error('a window that fails does not end the next');
    },
    log: silent as never,
  });
  await using _running = new Background(async (signal) => await verifyWindow.run(signal));
  // Every second of this hour in a zone of another hour: a window that forgot its zone would never come.
  const zone = 'Asia/Kolkata';
  const hour = new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', hourCycle: 'h23' });
  const now = Number(hour.format(new Date()));
  window = { expression: `* * ${now},${(now + 1) % 24} * * *`, zone };
  await until(() => asked >= 2, { what: 'two of its times have come', ms: 60_000 });
});
