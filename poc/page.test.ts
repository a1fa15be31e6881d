/** The page of the proof of concept and the page of a node, in a real browser over a running tree. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium, type Page } from 'playwright-core';

const browserPath = '/usr/bin/chromium';
const entry = new URL('main.ts', import.meta.url).pathname;
const ports = 28_000 + (process.pid % 100) * 40;

/** A proof of concept of its own; its address once people work there. */
async function startCountry() {
  const home = await mkdtemp(join(tmpdir(), 'tributary-page-'));
  await chmod(home, 0o755);
  const child = spawn(process.execPath, [entry, '--ports', String(ports)], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: home },
  });
  const { promise: working, resolve, reject } = Promise.withResolvers<string>();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const address = /page: (\S+)/.exec(said)?.[1];
    if (address && said.includes('begin to work')) {
      resolve(address);
    }
  });
  child.once('exit', () => reject(new Error(`the proof of concept ended: ${said}`)));
  return {
    working,
    async [Symbol.asyncDispose](): Promise<void> {
      if (child.exitCode === null) {
        child.kill('SIGINT');
        await once(child, 'exit');
      }
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Waits until the link from a child to its parent says so. */
async function expectLink(page: Page, child: string, words: string): Promise<void> {
  await page
    .locator('.place', { has: page.locator(`[data-line$=" ${child}"]`) })
    .locator('.word', { hasText: words })
    .waitFor({ timeout: 60_000 });
}

const skip = existsSync(browserPath) ? false : `no browser at ${browserPath}`;

void test('the pages show a cut link and its mending', { skip, timeout: 300_000 }, async () => {
  await using country = await startCountry();
  const address = await country.working;
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(address);
    const cards = page.locator('.card .state');
    await cards.first().waitFor();
    assert.equal(await cards.count(), 7);
    await expectLink(page, 'highlands', 'streaming');

    await page.click('[data-line="cut highlands"]');
    await expectLink(page, 'highlands', 'link cut');
    await page.locator('.card.late', { hasText: 'waits for 1 of 2' }).waitFor({ timeout: 60_000 });

    const nation = await browser.newPage();
    nation.on('pageerror', (error) => complaints.push(error.message));
    const own = await page.locator('h2 a', { hasText: 'Republic' }).getAttribute('href');
    assert.ok(own, 'the name of the nation leads to the page of its node');
    await nation.goto(own);
    await nation.locator('#streams', { hasText: 'retrying' }).waitFor({ timeout: 60_000 });

    await page.click('[data-line="heal highlands"]');
    await expectLink(page, 'highlands', 'streaming');
    await nation
      .locator('#streams tr', { hasText: 'highlands' })
      .filter({ hasText: 'streaming' })
      .waitFor({ timeout: 60_000 });
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
});
