// picture.mjs URL FILE: takes the README's picture of the page from a demo server.
import { launchBrowser, openPage } from "./browser.mjs";

const [url, file] = process.argv.slice(2);
const browser = await launchBrowser();
const page = await openPage(browser, url, { viewport: { width: 1100, height: 1000 }, deviceScaleFactor: 1.5 });
await page.goto("/");
await page.getByLabel("Find by handle").fill("andre_m");
await page.locator(".person", { hasText: "@andre_m" }).first().click();
await page.locator(".card .name-full").nth(5).waitFor();
const reread = page.waitForResponse((answer) => answer.url().includes("/api/v1/feed?"));
await page.locator(".card:has(.source-follow) .act-like").first().click();
await (await reread).finished();
await page.locator(".move").first().waitFor();
await page.locator(".card summary").first().click();
await page.waitForFunction(() => document.getAnimations().length === 0);
await page.evaluate(() => scrollTo(0, 0));
await page.mouse.move(0, 0);
await page.screenshot({ path: file });
await browser.close();
