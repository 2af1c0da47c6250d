// For every eye, hand and ear: phone, dark and light, keyboard, screen reader.
import assert from "node:assert/strict";
import {
  assertReadable,
  cardIds,
  cardOf,
  countOf,
  follow,
  isLiked,
  isRead,
  likeOf,
  noSidewaysScroll,
  openFeed,
  openView,
  unlikedIds,
} from "./acts.mjs";

const focused = (page) => page.evaluateHandle(() => document.activeElement);
const focusedIs = async (page, locator) => locator.evaluate((element) => element === document.activeElement);

/** Presses Tab until the focus is there. */
async function tabTo(page, locator, most = 60) {
  for (let pressed = 0; pressed < most; ++pressed) {
    await page.keyboard.press("Tab");
    if (await focusedIs(page, locator)) return;
  }
  throw new Error(
    `the focus is at ${await (await focused(page)).evaluate((element) => element.outerHTML.slice(0, 200))}`,
  );
}

const views = ["Feed", "Trending", "People", "Pipeline", "Profile"];

export function addLooksTests(test) {
  test("everything can be reached and done by keyboard alone", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    await page.keyboard.press("Tab");
    assert.equal(await page.locator(":focus").innerText(), "Skip to the content");
    await page.keyboard.press("Enter");
    assert.ok(await focusedIs(page, page.locator("#view")));

    await tabTo(page, page.getByLabel("What is new?"));
    await page.keyboard.type("Written without a mouse.");
    await tabTo(page, page.getByRole("button", { name: "Post", exact: true }));
    await page.keyboard.press("Enter");
    await page.locator(".notice", { hasText: "Posted." }).waitFor();
    await isRead(page);

    const [first, second] = await cardIds(page);
    await tabTo(page, cardOf(page, first));
    await page.keyboard.press("j");
    assert.ok(await focusedIs(page, cardOf(page, second)));
    await page.keyboard.press("k");
    assert.ok(await focusedIs(page, cardOf(page, first)));
    const likes = await countOf(cardOf(page, first), "like");
    const liked = await isLiked(cardOf(page, first));
    await page.keyboard.press("l");
    await cardOf(page, first).locator(`.act-like[aria-pressed="${!liked}"]`).waitFor();
    await page.waitForFunction(
      ([id, before, more]) => {
        const now = Number(document.querySelector(`[data-post="${id}"] .act-like b`).textContent);
        return more ? now > before : now <= before;
      },
      [first, likes, !liked],
    );
    await isRead(page);
    await tabTo(page, cardOf(page, first).locator("summary"));
    await page.keyboard.press("Enter");
    assert.equal(await cardOf(page, first).locator(".terms").isVisible(), true);
    await tabTo(page, cardOf(page, first).locator(".act-comment"));
    await page.keyboard.press("Enter");
    await tabTo(page, cardOf(page, first).getByLabel("Write a comment"));
    await page.keyboard.type("Nor this. jkl");
    await page.keyboard.press("Control+Enter");
    await cardOf(page, first).locator(".comment .text", { hasText: "Nor this. jkl" }).waitFor();
  });

  test("views, suggestions and profiles are worked by keyboard alone", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    await tabTo(page, page.getByRole("link", { name: "People", exact: true }));
    await page.keyboard.press("Enter");
    await page.locator(".people-card .person-line").nth(1).waitFor();
    assert.ok(await focusedIs(page, page.locator("#view")), "the focus is not in the new view");
    const line = page.locator(".people-card .person-line").first();
    const name = await line.locator(".name-full").innerText();
    await tabTo(page, line.getByRole("button", { name: `Follow ${name}` }));
    await page.keyboard.press("Enter");
    await page.locator(".notice", { hasText: `You follow ${name}.` }).waitFor();
    const next = page.locator(".people-card .person-line").first();
    const dismissed = await next.locator(".name-full").innerText();
    await tabTo(page, next.getByRole("button", { name: `Do not suggest ${dismissed} again` }));
    await page.keyboard.press("Enter");
    await page.locator(".notice", { hasText: `${dismissed} will not be suggested again.` }).waitFor();
    const link = page.locator(".people-card .name-link").first();
    await link.focus();
    await page.keyboard.press("Enter");
    await page.locator(".profile").waitFor();
    assert.ok(await focusedIs(page, page.locator("#view")));
    const followers = page.getByRole("link", { name: /follower/ });
    await tabTo(page, followers);
    await page.keyboard.press("Enter");
    await page.locator(".people-card").waitFor();
    assert.ok(await focusedIs(page, followers), "the link of a list has lost the focus");
  });

  test("every view has its landmarks, one heading, and a name for everything", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    await page.locator(".act-comment").first().click();
    for (const view of views) {
      await follow(page, "Views", view);
      await page.locator("h1").first().waitFor({ state: "attached" });
      const wrong = await page.evaluate(() => {
        const named = (element) =>
          element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.length > 0;
        const nameless = [
          ...document.querySelectorAll("button, a, input, textarea, nav, aside, section, [role=feed], [role=img]"),
        ].filter((element) =>
          element.matches("nav, aside, section")
            ? !element.getAttribute("aria-label") && !element.querySelector("h2")
            : !named(element),
        );
        const landmarks = ["main", "header.side", 'nav[aria-label="Views"]', '[role="status"]', '[role="alert"]'];
        return [
          ...nameless.map((element) => element.outerHTML.slice(0, 120)),
          ...landmarks.filter((one) => !document.querySelector(one)),
          ...(document.querySelectorAll("main").length === 1 ? [] : ["more than one main"]),
          ...(document.querySelectorAll("h1").length === 1
            ? []
            : [`${document.querySelectorAll("h1").length} headings`]),
        ];
      });
      assert.deepEqual(wrong, [], view);
      const heading = await page.locator("h1").textContent();
      assert.equal(await page.title(), `${heading} · Novafeed`);
    }
    await follow(page, "Views", "Feed");
    assert.match(
      await page.locator(".bar").first().getAttribute("aria-label"),
      /freshness [\d.]+, engagement [\d.]+, affinity/,
    );
    const posts = page.getByRole("feed").getByRole("article");
    assert.equal(await posts.first().getAttribute("aria-posinset"), "1");
    assert.match(await likeOf(posts.first()).getAttribute("aria-label"), /^Like, \d+ likes?$/);
  });

  test(
    "nothing is wider than a phone, and all views are at hand",
    async ({ page, viewer, person }) => {
      await person.post("Seen on a phone.");
      await openFeed(page, viewer);
      const card = page.locator(".post").first();
      await card.locator("summary").click();
      await card.locator(".act-comment").tap();
      await noSidewaysScroll(page, "the feed");
      for (const view of views) {
        const link = page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view });
        const { x, y, width, height } = await link.boundingBox();
        assert.ok(x >= 0 && x + width <= 360 && y + height <= 740 && height >= 40, `${view} cannot be tapped`);
        await link.tap();
        await page.locator(".post, .person-line, .figure").first().waitFor();
        await noSidewaysScroll(page, view);
      }
      await page.getByRole("link", { name: /follower/ }).tap();
      await page.locator(".person-line, .empty").first().waitFor();
      await noSidewaysScroll(page, "the followers");
      const small = await page
        .locator("main button")
        .evaluateAll((all) => all.filter((one) => one.offsetHeight < 24 || one.offsetWidth < 24).length);
      assert.equal(small, 0, "buttons too small for a finger");
      await openView(page, viewer, `profile/${viewer.id}`);
      await page.getByRole("button", { name: "Edit the post" }).first().tap();
      await page.getByRole("button", { name: "Save" }).waitFor();
      await noSidewaysScroll(page, "a post that is edited");
      await page.getByRole("button", { name: "Delete the post" }).first().tap();
      const { x, width } = await page.getByRole("dialog").boundingBox();
      assert.ok(x >= 0 && x + width <= 360, "the question is wider than the window");
      await page.getByRole("button", { name: "Keep it" }).tap();
      await page.getByRole("button", { name: "Change viewer" }).tap();
      await page.locator(".person").first().waitFor();
      await noSidewaysScroll(page, "the choice of a viewer");
    },
    { context: { viewport: { width: 360, height: 740 }, hasTouch: true } },
  );

  for (const colorScheme of ["light", "dark"]) {
    test(
      `every view can be read in ${colorScheme} mode`,
      async ({ page, viewer, person }) => {
        await openFeed(page, viewer);
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const brightness =
          background
            .match(/\d+/g)
            .slice(0, 3)
            .reduce((sum, part) => sum + Number(part), 0) / 3;
        assert.equal(brightness > 128 ? "light" : "dark", colorScheme, `the page is ${background}`);
        const card = cardOf(page, (await unlikedIds(page))[1]);
        await likeOf(card).click();
        await card.locator('.act-like[aria-pressed="true"]').waitFor();
        await page.locator(".post summary").first().click();
        const ofPosts = [
          ".post .text",
          ".post .name-handle",
          "time",
          ".source",
          ".seen",
          '.act-like[aria-pressed="true"]',
        ];
        await assertReadable(page, [
          ...ofPosts,
          ".origin",
          ".part",
          ".about p",
          ".tabs a",
          ".tabs a[aria-current]",
          ".views a",
        ]);
        await assertReadable(page, [
          ".suggested .reason",
          ".follow",
          ".more-link",
          ".facts dt",
          ".viewer .quiet",
          "kbd",
        ]);
        await follow(page, "Views", "Trending");
        await page.locator(".rank").first().waitFor();
        await assertReadable(page, [".lead", ".rank"]);
        await follow(page, "Views", "Pipeline");
        await page.locator(".jobs").waitFor();
        await assertReadable(page, [
          ".figure h2",
          ".figure-value",
          ".figure-meaning",
          ".chart-top",
          "figcaption span",
          ".jobs td",
          ".jobs thead th",
        ]);
        await person.post("To be read.");
        await follow(page, "Views", "Profile");
        await page.locator(".profile").waitFor();
        await page.locator(".own-actions").first().waitFor();
        await assertReadable(page, [".profile small", ".profile .name-handle", ".own-actions .round"]);
        await page.locator(".act-delete").first().click();
        await assertReadable(page, [".confirm h2", ".confirm p", ".confirm .danger"]);
      },
      { context: { colorScheme } },
    );
  }
}
