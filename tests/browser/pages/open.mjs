// Open pages of a folder from the disk in Chromium, in three looks; print one line of JSON for each.
// What the pages ask for, what the console says, what axe-core finds, how far they are too wide, how high the rows of
// a list are, what the Tab key reaches.
// Usage: node open.mjs CHROMIUM FOLDER PAGE...; with PAGES_SHOTS=FOLDER also writes pictures.
import fs from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [executablePath, folder, ...pages] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.PAGES_SHOTS;
const looks = {
  light: { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  narrow: { viewport: { width: 390, height: 844 }, colorScheme: "light" },
};

async function opened(context, path, note) {
  const page = await context.newPage();
  page.on("request", (request) => note.requests.push(request.url()));
  page.on("console", (message) => note.console.push(message.text()));
  page.on("pageerror", (error) => note.console.push(String(error)));
  await page.goto(`file://${folder}/${path}`);
  return page;
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const [look, options] of Object.entries(looks)) {
  const context = await browser.newContext(options);
  const checked = await browser.newContext({ ...options, bypassCSP: true }); // axe-core is a script, which no page allows
  for (const path of pages) {
    const said = { look, path, requests: [], console: [] };
    const page = await opened(context, path, said);
    said.overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    said.tallest = await page.evaluate(() =>
      Math.max(0, ...[...document.querySelectorAll("td.title")].map((cell) => cell.offsetHeight)),
    );
    said.styled = await page.evaluate(() => getComputedStyle(document.body).margin === "0px");
    await page.keyboard.press("Tab");
    said.first = await page.evaluate(() => document.activeElement.getAttribute("href"));
    if (shots) await page.screenshot({ path: `${shots}/${look}-${path.replaceAll("/", "_")}.png`, fullPage: true });
    const tried = await opened(checked, path, { requests: [], console: [] });
    await tried.evaluate(axe);
    const found = await tried.evaluate(() => axe.run());
    said.violations = found.violations.map((one) => `${one.impact} ${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
    said.passes = found.passes.length;
    console.log(JSON.stringify(said));
    await Promise.all([page.close(), tried.close()]);
  }
  await Promise.all([context.close(), checked.close()]);
}
await browser.close();
