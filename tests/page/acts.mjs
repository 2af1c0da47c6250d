// What the tests do on a page, and what they read from it.
import assert from "node:assert/strict";

/** Chooses a viewer as a person does. */
export async function chooseViewer(page, viewer) {
  await page.goto("/");
  await page.getByLabel("Find by handle").fill(viewer.handle);
  await page
    .locator(".person", { hasText: `@${viewer.handle}` })
    .first()
    .click();
  await page.locator(".post").first().waitFor();
}

/** Opens a view as that viewer, as after a reload. */
export async function openView(page, viewer, hash = "") {
  await page.addInitScript(
    (choice) => sessionStorage.getItem("novafeed.viewer") ?? sessionStorage.setItem("novafeed.viewer", choice),
    JSON.stringify({ kind: "demo", userId: viewer.id }),
  );
  await page.goto(`/#/${hash}`);
  await page.locator("#view").waitFor();
}

export async function openFeed(page, viewer, mode = "") {
  await openView(page, viewer, mode);
  await page.locator(".post").first().waitFor();
  await isRead(page);
}

/** Goes to a view, or to a list of the view, by its link. */
export async function follow(page, nav, name) {
  await page.getByRole("navigation", { name: nav }).getByRole("link", { name }).click();
  await page.locator('a[aria-current="page"]', { hasText: name }).first().waitFor();
  await page.locator(".post, .person-line, .figure, .empty").first().waitFor();
}

/** The list on the page waits for no answer, and what the viewer likes of it is known. */
export async function isRead(page) {
  await page.locator('[role="feed"][aria-busy="false"]').waitFor();
  await page.waitForFunction(() => !document.querySelector(".act-like:not([aria-pressed])"));
}

export const cardIds = (page) => page.locator(".post").evaluateAll((cards) => cards.map((card) => card.dataset.post));
export const cardOf = (page, id) => page.locator(`.post[data-post="${id}"]`);
export const likeOf = (card) => card.locator(".act-like");
export const isLiked = async (card) => (await likeOf(card).getAttribute("aria-pressed")) === "true";
/** The cards that the viewer does not like yet; demo people like some. */
export const unlikedIds = (page) =>
  page
    .locator('.post:has(.act-like[aria-pressed="false"])')
    .evaluateAll((cards) => cards.map((card) => card.dataset.post));
export const scoreOf = async (card) => Number((await card.locator(".score-value").innerText()).replace(/[^\d.-]/g, ""));
export const countOf = async (card, action) => Number(await card.locator(`.act-${action} b`).innerText());

/** Presses a button, and waits until the list was read again after it. */
export async function pressAndReread(page, button, route = "/api/v1/feed?") {
  const reread = page.waitForResponse((answer) => answer.url().includes(route));
  await button.click();
  await (await reread).finished();
  await isRead(page);
}

/** Scrolls on and on until the list says that that was all. */
export async function scrollToEnd(page) {
  const end = page.locator(".foot", { hasText: "That is all." });
  const length = () => page.locator(".post, .person-line").count();
  while ((await end.count()) === 0) {
    const before = await length();
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.waitForFunction(
      (known) =>
        document.querySelectorAll(".post, .person-line").length > known ||
        document.querySelector(".foot")?.textContent.includes("That is all."),
      before,
    );
  }
}

/** Tries until it holds; then, or when the time is over, the last error counts. */
export async function eventually(check, milliseconds = 10_000) {
  for (const deadline = Date.now() + milliseconds; ;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export async function noSidewaysScroll(page, what) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${what} is ${content} px wide in a window of ${window}`);
}

/** Contrast of an element's text with what is behind it, as WCAG 2 defines it. */
export function contrastOf(locator) {
  return locator.evaluate((element) => {
    const canvas = document.createElement("canvas").getContext("2d");
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let behind = element;
    while (behind.parentElement && rgba(getComputedStyle(behind).backgroundColor)[3] === 0)
      behind = behind.parentElement;
    const ink = luminance(rgba(getComputedStyle(element).color));
    const paper = luminance(rgba(getComputedStyle(behind).backgroundColor));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
}

export async function assertReadable(page, selectors) {
  for (const selector of selectors) {
    const contrast = await contrastOf(page.locator(selector).first());
    assert.ok(contrast >= 4.5, `${selector} has a contrast of ${contrast.toFixed(2)}`);
  }
}
