// Opens pages in Chromium as people do, and prints what axe-core and the console say, as JSON.
// node look.mjs MODULES CHROMIUM FILE...
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [modules, chromium, ...files] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const LOOKS = {
  light: { width: 1280, height: 900, scheme: "light" },
  dark: { width: 1280, height: 900, scheme: "dark" },
  phone: { width: 390, height: 844, scheme: "light" },
  "phone, dark": { width: 390, height: 844, scheme: "dark" },
  "without scripts": { width: 1280, height: 900, scheme: "light", scripts: false },
};

const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu"],
});
const seen = [];
for (const file of files) {
  for (const [look, { width, height, scheme, scripts = true }] of Object.entries(LOOKS)) {
    const page = await browser.newPage();
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("requestfailed", (request) => said.push(`failed: ${request.url()}`));
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setJavaScriptEnabled(scripts);
    const begun = performance.now();
    await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
    const loaded = performance.now() - begun;
    let violations = [];
    let wide = 0;
    if (scripts) {
      wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    }
    // Of a page with thousands of rows of one kind axe takes minutes, and finds what it finds in ten.
    if (scripts && !file.endsWith("many.html")) {
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run(document));
      violations = found.violations.map(({ id, help, nodes }) => ({
        id, help, where: nodes.slice(0, 3).map((node) => node.html.slice(0, 160)),
      }));
    }
    seen.push({ file, look, loaded_ms: Math.round(loaded), said, wide, violations });
    await page.close();
  }
}
await browser.close();
console.log(JSON.stringify(seen, null, 1));
