import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { buildReportClient } from '../../scripts/report-client.ts';
import { renderHtml, type ReportAssets } from '../../src/report/html/render-html.ts';
import { buildReportModel } from '../../src/report/model.ts';
import { fixtureRun } from '../support/fixture-run.ts';
import { makeHostile } from '../support/hostile-text.ts';
import { suite } from '../support/suite.ts';
import { requireTool } from '../support/tool.ts';

const test = suite('report in a browser');
let browser: Browser;
let assets: ReportAssets;
let folder: string;

test.before(async () => {
  const executablePath = requireTool('chromium');
  assets = await buildReportClient();
  folder = await mkdtemp(path.join(tmpdir(), 'lazybench-report-'));
  browser = await chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
test.after(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

const fixtures = {
  normal: () => fixtureRun(),
  troubles: () => fixtureRun({ withTroubles: true }),
  'one pair': () => fixtureRun({ pairs: 1 }),
  'all failed': () => fixtureRun({ allFailed: true }),
  hostile: () => fixtureRun({ withTroubles: true, text: makeHostile }),
} as const;
type FixtureName = keyof typeof fixtures;

/** Opens a report as a mailed file is opened, and hears everything that it says or asks for. */
async function withReport(
  name: FixtureName,
  options: BrowserContextOptions,
  look: (page: Page) => Promise<void>,
): Promise<{ complaints: string[]; requests: string[] }> {
  const file = path.join(folder, `${name}.html`);
  await writeFile(file, renderHtml(buildReportModel(fixtures[name]()), assets));
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  try {
    await page.goto(pathToFileURL(file).href);
    await look(page);
  } finally {
    await context.close();
  }
  return { complaints, requests: requests.filter((url) => url !== pathToFileURL(file).href) };
}

const read = async <T>(page: Page, expression: string): Promise<T> => page.evaluate<T>(expression);

for (const name of ['normal', 'troubles', 'one pair', 'all failed', 'hostile'] as const) {
  test(`opens without a complaint, a request or a script from data: ${name}`, async () => {
    const { complaints, requests } = await withReport(name, {}, async (page) => {
      assert.equal(await read(page, 'typeof globalThis.owned'), 'undefined');
      assert.equal(
        await read(page, 'document.querySelectorAll("main img, main script, main svg[onload]").length'),
        0,
      );
      assert.equal(await read(page, 'document.querySelectorAll("h1").length'), 1);
      assert.ok(
        await read<boolean>(page, 'document.documentElement.scrollWidth <= innerWidth'),
        'scrolls sideways',
      );
    });
    assert.deepEqual(complaints, []);
    assert.deepEqual(requests, []);
  });
}

for (const [name, colorScheme] of [
  ['normal', 'light'],
  ['troubles', 'dark'],
  ['all failed', 'light'],
  ['hostile', 'dark'],
] as const)
  test(`has no violation that axe knows: ${name}, ${colorScheme}`, async () => {
    const axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
    const findings =
      'axe.run().then(({ violations }) => violations.map((v) => v.id + ": " + v.nodes[0].html.slice(0, 200)))';
    // The page's own policy would refuse axe.
    await withReport(name, { colorScheme, bypassCSP: true }, async (page) => {
      await read(page, 'for (const one of document.querySelectorAll("details")) one.open = true');
      await page.evaluate(axe);
      assert.deepEqual(await read<string[]>(page, findings), []);
      await read(page, 'document.documentElement.removeAttribute("lang")');
      const broken = 'axe.run({ runOnly: ["html-has-lang"] }).then(({ violations }) => violations.length)';
      assert.equal(await read(page, broken), 1, 'axe is not looking');
    });
  });

test('draws every chart with something on it, and folds its table', async () => {
  await withReport('normal', {}, async (page) => {
    const inked = await read<Record<string, boolean>>(
      page,
      `Object.fromEntries([...document.querySelectorAll('[data-chart]')].map((frame) => {
        const canvas = frame.querySelector('canvas');
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        return [frame.dataset.chart, !frame.hidden && pixels.some((value) => value !== 0)];
      }))`,
    );
    assert.deepEqual(inked, {
      phases: true,
      'pairs-0': true,
      'ratios-0': true,
      distribution: true,
      bytes: true,
    });
    assert.equal(await read(page, 'document.querySelectorAll("details.twin[open]").length'), 0);
    assert.equal(await page.locator('figure svg:visible').count(), 0);
  });
});

test('tells the same story with JavaScript off', async () => {
  const { complaints } = await withReport('normal', { javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.locator('canvas:visible').count(), 0);
    assert.equal(await page.locator('figure svg:visible').count(), 5);
    assert.ok(await page.getByRole('table', { name: 'Median of each phase per arm' }).isVisible());
    assert.ok(await page.getByRole('table', { name: 'Every trial' }).isVisible());
    assert.ok(await page.getByRole('heading', { level: 1 }).isVisible());
  });
  assert.deepEqual(complaints, []);
});

test('refuses a script that somebody adds', async () => {
  const { complaints } = await withReport('normal', {}, async (page) => {
    await read(
      page,
      `(() => { const added = document.createElement('script'); added.textContent = 'globalThis.owned = 1'; document.body.append(added); })()`,
    );
    assert.equal(await read(page, 'typeof globalThis.owned'), 'undefined');
  });
  assert.match(complaints.join('\n'), /Content Security Policy/u);
});

test('saves the raw lines as they are in the model', async () => {
  await withReport('troubles', {}, async (page) => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByText('Download 15 trials as JSON lines').click(),
    ]);
    assert.equal(download.suggestedFilename(), 'trials-20261123-234107-7f3a.jsonl');
    const saved = path.join(folder, 'saved.jsonl');
    await download.saveAs(saved);
    assert.equal(await readFile(saved, 'utf8'), buildReportModel(fixtures.troubles()).trialsJsonl);
  });
});

test('fits a phone without sideways scrolling, with hostile data too', async () => {
  for (const name of ['normal', 'hostile'] as const)
    await withReport(name, { viewport: { width: 360, height: 740 } }, async (page) => {
      assert.ok(await read<boolean>(page, 'document.documentElement.scrollWidth <= innerWidth'), name);
    });
});

test('stays under one megabyte for a quickstart run', () => {
  const size = Buffer.byteLength(renderHtml(buildReportModel(fixtures.normal()), assets));
  assert.ok(size <= 1_000_000, String(size));
});
