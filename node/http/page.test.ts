/** The page at `/` in a real browser, over answers of every kind a node may give. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { silent } from '../log.ts';
import type { StatusReport } from '../monitor/status-report.ts';
import { httpServer } from './server.ts';

const browserPath = '/usr/bin/chromium';
const skip = existsSync(browserPath) ? false : `no browser at ${browserPath}`;

const stream: StatusReport['streams'][number] = {
  provider: 'awash',
  state: 'streaming',
  since: '2026-01-01T00:00:00.000Z',
  problem: null,
  doubts: [],
  doubtsMet: [],
  failures: 0,
  retryInMs: null,
  connected: true,
  position: '0/1A2B3C8',
  received: '0/1A2B3C8',
  confirmed: '0/1A2B3C8',
  lagBytes: 0,
  queuedBytes: 0,
  heartbeatAgeSeconds: 12,
  complete: true,
  incompleteReason: null,
  copies: [],
  verified: [],
  transactionsApplied: 5000,
  rowsApplied: 1_204_332,
  parked: [],
  blocked: [],
  partial: [],
  reconnects: 0,
};
const copying: StatusReport['streams'][number] = {
  ...stream,
  provider: 'bahir',
  complete: false,
  incompleteReason: 'first_copy',
  lagBytes: 5_400_000,
  copies: [
    {
      table: 'public.case_report',
      state: 'running',
      reason: 'first_copy',
      rows: 412_000,
      estimatedRows: 1_030_000,
      sentRows: 412_000,
      repairedRows: 0,
      bytes: 103_000_000,
      seconds: 600,
      secondsLeft: 900,
    },
    {
      table: 'public.attachment',
      state: 'wanted',
      reason: 'first_copy',
      rows: 0,
      estimatedRows: null,
      sentRows: 0,
      repairedRows: 0,
      bytes: 0,
      seconds: null,
      secondsLeft: null,
    },
  ],
};
const compared = {
  table: 'public.case_report',
  state: 'done',
  rows: 1_030_000,
  bytes: 66_000,
  through: '2026-01-01T02:00:00.000Z',
  differing: 2,
};
const cut: StatusReport['streams'][number] = {
  ...stream,
  verified: [
    compared,
    { ...compared, table: 'public.facility', state: 'running', rows: 4096, differing: null },
  ],
  provider: 'chamo',
  state: 'retrying',
  connected: false,
  lagBytes: null,
  heartbeatAgeSeconds: 5400,
  retryInMs: 12_000,
  problem: {
    code: 'provider_unreachable',
    text: "the child's PostgreSQL does not answer",
    advice: 'Check the link and `provider` of the child.',
    context: {},
  },
};
const fresh = {
  through: null,
  ageSeconds: 12,
  complete: true,
  reason: null,
  via: 'awash',
  retired: false,
};

const report: StatusReport = {
  node: 'north',
  title: 'Northern Region',
  level: 'region',
  parent: 'nation',
  version: '0.1.0',
  pid: 1,
  at: '2026-01-01T00:00:00.000Z',
  heartbeatMs: 30_000,
  topology: { file: 'x', digest: '0123456789ab', valid: true, problems: [] },
  leader: 'leading',
  ready: true,
  problem: null,
  database: { up: true, walDirectoryBytes: 1 },
  streams: [stream, copying, cut],
  freshness: [
    { ...fresh, origin: 'awash' },
    { ...fresh, origin: 'bahir', complete: false, reason: 'north: first_copy', via: 'bahir' },
    { ...fresh, origin: 'chamo', ageSeconds: 5400, via: 'chamo' },
    { ...fresh, origin: 'dila', ageSeconds: null, complete: false, via: 'chamo' },
  ],
  slots: [
    {
      name: 'tributary_nation',
      type: 'logical',
      active: false,
      walStatus: 'extended',
      retainedBytes: 3_000_000_000,
      unconfirmedBytes: 3_000_000_000,
      safeWalBytes: 5_000_000_000,
    },
  ],
  disk: { path: '/', totalBytes: 500e9, freeBytes: 120e9 },
  forecast: {
    diskSeconds: 5_000_000,
    offlineSeconds: 40_000,
    slots: [{ name: 'tributary_nation', seconds: 40_000 }],
  },
  probes: [
    {
      name: 'dhis',
      kind: 'http',
      up: true,
      reason: null,
      since: '2026-01-01T00:00:00.000Z',
      seconds: 0.083,
      certificateExpires: '2099-03-01T00:00:00.000Z',
    },
    {
      name: 'laboratory',
      kind: 'http',
      up: false,
      reason: 'http_503',
      since: '2026-01-01T00:00:00.000Z',
      seconds: 0.02,
      certificateExpires: null,
    },
  ],
  findings: [],
};

void test(
  'the page shows per stream state, freshness, lag and copies with estimate, and what a place has',
  { skip, timeout: 120_000 },
  async () => {
    let answer: StatusReport = report;
    const server = httpServer({
      name: 'north',
      host: '127.0.0.1',
      port: 0,
      open: false,
      log: silent,
      reading: {
        unready: async () => await Promise.resolve(null),
        status: async () => await Promise.resolve(answer),
        description: () => ({}),
        metrics: async () => await Promise.resolve({ contentType: 'text/plain', text: '' }),
      },
      acting: {
        reload: async () => await Promise.resolve({ problems: [], atNextStart: [] }),
        pause: async () => await Promise.resolve(),
        resume: async () => await Promise.resolve(),
        retryParked: async () => await Promise.resolve(0),
        freeRewound: async () => await Promise.resolve(0),
        discardParked: async () => await Promise.resolve(),
        verify: async () => await Promise.resolve(''),
        reconcile: async () => await Promise.resolve(0),
      },
    });
    await server.listen({ host: '127.0.0.1', port: 0 });
    const browser = await chromium.launch({
      executablePath: browserPath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
    });
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
      const complaints: string[] = [];
      page.on(
        'console',
        (message) => message.type() === 'error' && complaints.push(message.text()),
      );
      page.on('pageerror', (error) => complaints.push(error.message));
      const { port } = server.server.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}/`);
      const streams = page.locator('#streams');
      await streams.locator('tr', { hasText: 'awash' }).waitFor();
      const shots = process.env['TEST_SHOTS'];
      if (shots) {
        await page.screenshot({ path: `${shots}/page.png`, fullPage: true });
      }
      const text = (await streams.innerText()).replaceAll(/\s+/g, ' ');
      for (const words of [
        'awash streaming 12 s complete 0 B 1,204,332 0/1A2B3C8',
        'bahir streaming 12 s not complete 5.1 MB',
        'public.case_report: first copy running, 412,000 of about 1,030,000 rows, about 15 min left',
        'public.attachment: first copy wanted, 0 rows',
        'chamo retrying 90 min',
        'Check the link and `provider` of the child. Tried again in 12 s.',
        'public.facility: comparison running, 4,096 rows.',
        'public.case_report: 2 rows differed at 2026-01-01T02:00:00.000Z, see tributary reconcile.',
        'Verified through 2026-01-01T02:00:00.000Z',
      ]) {
        assert.ok(text.includes(words), `${words} in ${text}`);
      }
      const width = await streams
        .locator('.bar i')
        .first()
        .evaluate((bar) => bar.style.width);
      assert.equal(width, '40%');
      assert.match(await page.locator('#origins').innerText(), /dila\s+never heard of\s+no/);
      assert.match(await page.locator('#tiles').innerText(), /11 h\s+may be cut off from nation/);
      assert.match(await page.locator('#probes').innerText(), /dhis\s+online\s+83 ms\s+2099-03-01/);
      assert.match(await page.locator('#probes').innerText(), /laboratory\s+down: http_503/);
      assert.match(await page.locator('#slots').innerText(), /4\.7 GB, about 11 h\s+extended/);
      assert.equal(await page.locator('#findings').isVisible(), false);

      const markup = '<img src=x onerror=alert(1)>';
      const finding = {
        severity: 'error',
        code: 'x',
        object: markup,
        problem: 'p',
        advice: 'a',
      } as const;
      answer = { ...report, streams: [stream], ready: false, findings: [finding] };
      await page.locator('#findings', { hasText: markup }).waitFor();
      assert.equal(await page.locator('img').count(), 0);
      assert.match(await page.locator('#tiles').innerText(), /not ready/);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
      await server.close();
    }
  },
);
