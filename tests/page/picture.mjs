// picture.mjs URL FILE: takes the README's picture of the page from a demo server.
import { cardOf, chooseViewer, isRead, likeOf, pressAndReread, unlikedIds } from "./acts.mjs";
import { launchBrowser, openPage } from "./browser.mjs";

const [url, file] = process.argv.slice(2);
const browser = await launchBrowser();
const page = await openPage(browser, url, { viewport: { width: 1280, height: 1000 }, deviceScaleFactor: 1.5 });
await chooseViewer(page, { handle: "andre_mensah" });
await page.locator(".post .name-full").nth(5).waitFor();
await page.locator(".suggested").waitFor();
// Likes one after the other, until one of them has risen to the top.
await isRead(page);
for (let place = 9; !(await page.locator(".post").first().locator(".move-up").isVisible()); --place) {
  await pressAndReread(page, likeOf(cardOf(page, (await unlikedIds(page))[place])));
}
await page.locator(".post summary").first().click();
await page.locator(".notice").waitFor({ state: "detached" });
const figures = page.locator(".pipeline-box dd");
await figures.nth(0).filter({ hasText: "ms" }).waitFor();  // the warehouse has caught up
await figures.nth(1).filter({ hasText: "ms" }).waitFor();
await page.evaluate(() => scrollTo(0, 0));
await page.mouse.move(0, 0);
await page.screenshot({ path: file });
await browser.close();
