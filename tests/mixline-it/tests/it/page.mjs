// Opens a report as a reader would, with the network off, and says what it saw as one JSON line.
//
//   node page.mjs MODULES CHROMIUM REPORT.html REPORT.pdf
//
// For light and dark: requests beside the file itself, console errors, violations found by axe;
// and what the printed page is like.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [modules, chromium, report, pdf] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/package.json`));
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
const seen = { requests: [], errors: [], violations: [] };
for (const scheme of ['light', 'dark']) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1200, height: 900 });
  await page.setOfflineMode(true);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  const own = pathToFileURL(report).href;
  page.on('request', (r) => r.url() !== own && seen.requests.push(r.url().slice(0, 200)));
  page.on('console', (m) => m.type() === 'error' && seen.errors.push(m.text()));
  page.on('pageerror', (e) => seen.errors.push(String(e)));
  await page.goto(own, { waitUntil: 'load' });
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  for (const v of found.violations) {
    const nodes = v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160));
    seen.violations.push({ scheme, id: v.id, help: v.help, count: v.nodes.length, nodes });
  }
  if (scheme === 'light') {
    seen.wide = await page.evaluate(() => document.documentElement.scrollWidth);
    seen.verdict = await page.evaluate(() => document.querySelector('body').innerText.trim().split('\n')[0]);
    seen.figures = await page.evaluate(() => document.querySelectorAll('figure svg').length);
    const bytes = await page.pdf({ format: 'A4', printBackground: true });
    writeFileSync(pdf, bytes);
    seen.pages = (Buffer.from(bytes).toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? []).length;
    await page.setViewport({ width: 390, height: 800 });
    seen.narrow = await page.evaluate(() => document.documentElement.scrollWidth);
  }
  await page.close();
}
await browser.close();
console.log(JSON.stringify(seen));
