// Open an address in Chromium and wait until it shows a text; print one line of JSON: what it asked for, what of
// that its own policy kept from being sent, what the console says, what it shows.
// Usage: node address.mjs CHROMIUM ADDRESS TEXT
import { chromium } from "playwright-core";

const [executablePath, address, text] = process.argv.slice(2);
const said = { requests: [], blocked: [], console: [] };
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
page.on("request", (request) => said.requests.push(request.url()));
page.on("requestfailed", (request) => {
  if (request.failure().errorText === "csp") said.blocked.push(request.url());
});
page.on("console", (message) => said.console.push(message.text()));
page.on("pageerror", (error) => said.console.push(String(error)));
await page.goto(address);
await page.getByText(text).first().waitFor({ timeout: 60_000 });
said.text = await page.innerText("body");
console.log(JSON.stringify(said));
await browser.close();
