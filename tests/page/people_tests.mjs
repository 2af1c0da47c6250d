// Trending, suggestions and profiles.
import assert from "node:assert/strict";
import {
  cardIds,
  cardOf,
  countOf,
  eventually,
  follow,
  isRead,
  likeOf,
  openView,
  pressAndReread,
  scrollToEnd,
  unlikedIds,
} from "./acts.mjs";
import { demoUsers, Person } from "./demo_server.mjs";

const shownIds = (page, selector) => page.locator(selector).evaluateAll((all) => all.map((one) => one.dataset.user));
const suggested = ".people-card .person-line";

/** What a reason says, in the page's words. */
function reasonOf({ user, reasons: [reason] }) {
  if (!reason) return `Popular here: ${user.followers} follower${user.followers === 1 ? "" : "s"}`;
  const names = reason.users.map((known) => known.name);
  const others = reason.count - names.length;
  if (others > 0) names.push(`${others} other${others === 1 ? "" : "s"}`);
  const last = names.pop();
  return `Followed by ${names.length > 0 ? `${names.join(", ")} and ` : ""}${last}`;
}

const plainText = (text) => text.replace(/[\u2068\u2069]/g, "");

const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const countsText = ({ likes, comments, shares, impressions }) =>
  `${counted(likes, "like")}, ${counted(comments, "comment")}, ${counted(shares, "share")} in ${counted(impressions, "impression")}`;

/** What a trending card tells of what people did, line by line. */
const countsLines =
  (span) =>
  ({ post, explain: { engagement } }) => {
    const [ofWindow, ofAll] = [countsText(engagement), countsText(post)];
    return [span, ofWindow, ...(ofAll === ofWindow ? [] : ["In all", ofAll])];
  };

export function addPeopleTests(test) {
  test("trending shows the list of each window, by rank", async ({ page, url, viewer, person }) => {
    const author = await Person.of(url, (await demoUsers(url, 100)).at(-1));
    const { id } = await author.post("Everybody will talk about this.");
    await person.like(id);
    const isIn = async (window) =>
      (await person.get(`/api/v1/trending?window=${window}&limit=50`)).items.some((item) => item.post.id === id);
    await eventually(async () => assert.ok((await isIn("24h")) && (await isIn("1h")), "the lists are not new enough"));
    await openView(page, viewer, "people");
    for (const [nav, link, window] of [
      ["Views", "Trending", "24h"],
      ["Trending", "This hour and the last", "1h"],
    ]) {
      const answer = page.waitForResponse((one) => one.url().includes(`/api/v1/trending?window=${window}`));
      await follow(page, nav, link);
      await page.locator(".post .rank").first().waitFor();
      const { items } = await (await answer).json();
      await eventually(async () =>
        assert.deepEqual(
          await cardIds(page),
          items.map((item) => item.post.id),
        ),
      );
      assert.ok(items.some((item) => item.post.id === id));
      assert.deepEqual(
        await page.locator(".post .counts").evaluateAll((all) => all.map((counts) => counts.innerText.split("\n"))),
        items.map(countsLines(window === "1h" ? "This hour and the last" : "24 clock hours")),
        "each card tells the counts of the window, and those of all time where they are others",
      );
      const ranks = await page.locator(".post .rank").allInnerTexts();
      assert.deepEqual(
        ranks,
        ranks.map((_, place) => String(place + 1)),
      );
      const scores = (await page.locator(".post .score-value").allInnerTexts()).map((text) =>
        Number(text.replace(/[^\d.]/g, "")),
      );
      assert.deepEqual(
        scores,
        [...scores].sort((a, b) => b - a),
      );
    }
    const ofHour = new Set(await cardIds(page));
    const { items } = await person.get("/api/v1/trending?window=24h&limit=200");
    assert.ok(
      items.some((item) => !ofHour.has(item.post.id)),
      "both windows are the same",
    );
  });

  test(
    "a trending card on a phone tells each count once, and its buttons can be reached",
    async ({ page, viewer }) => {
      await openView(page, viewer, "trending/24h");
      await page.locator(".post .counts").first().waitFor();
      await isRead(page);
      const { x, width } = await page.getByRole("link", { name: "This hour and the last" }).boundingBox();
      assert.ok(x + width <= 360, "the second tab is cut off");
      const card = page.locator(".post", { has: page.locator(".counts-all") }).first();
      const [label, counts] = await card
        .locator(".counts-all > *")
        .evaluateAll((both) => both.map((one) => one.getBoundingClientRect()));
      assert.ok(label.bottom <= counts.top + 1, "the label takes width from the counts");
      const ofWindow = card.locator(".counts-window");
      assert.ok(await ofWindow.isVisible());
      await card.locator("summary").click();
      await card.locator(".terms").waitFor();
      assert.equal(await ofWindow.isVisible(), false, "the score that is taken apart tells the same counts");
    },
    { context: { viewport: { width: 360, height: 740 }, hasTouch: true } },
  );

  test("a like in the trending list is counted", async ({ page, viewer }) => {
    await openView(page, viewer, "trending/24h");
    await page.locator(".post").nth(3).waitFor();
    await isRead(page);
    const card = cardOf(page, (await unlikedIds(page))[3]);
    const before = await countOf(card, "like");
    await pressAndReread(page, likeOf(card), "/api/v1/trending?");
    await eventually(async () => assert.ok((await countOf(card, "like")) > before));
  });

  test("suggestions come with their reasons, in the server's order", async ({ page, viewer }) => {
    // What the page was answered: others follow meanwhile, and change the order.
    const answered = page.waitForResponse((response) => /suggested-users\?.*limit=30/.test(response.url()));
    await openView(page, viewer, "people");
    await page.locator(suggested).first().waitFor();
    const { users } = await (await answered).json();
    assert.ok(
      users.some(({ reasons }) => reasons.length > 0),
      "nobody is suggested for a reason",
    );
    assert.deepEqual(
      await shownIds(page, suggested),
      users.map(({ user }) => user.id),
    );
    const reasons = await page.locator(`${suggested} .reason`).allInnerTexts();
    assert.deepEqual(reasons.map(plainText), users.map(reasonOf));
  });

  test("who is suggested and followed leaves the list, and their posts come in", async ({ page, url, viewer }) => {
    await openView(page, viewer, "people");
    await page.locator(suggested).first().waitFor();
    const [id] = await shownIds(page, suggested);
    const { id: postId } = await (await Person.of(url, { id })).post("Followed for a reason.");
    const line = page.locator(`${suggested}[data-user="${id}"]`);
    await line.getByRole("button", { name: /^Follow/ }).click();
    await line.waitFor({ state: "detached" });
    await page.locator(".notice", { hasText: "You follow" }).waitFor();
    await follow(page, "Views", "Feed");
    await follow(page, "Feed", "Following");
    await cardOf(page, postId).waitFor();
  });

  test("who is dismissed is not suggested again", async ({ page, viewer, person }) => {
    await openView(page, viewer, "people");
    await page.locator(suggested).first().waitFor();
    const [id, second] = await shownIds(page, suggested);
    const line = page.locator(`${suggested}[data-user="${id}"]`);
    await line.getByRole("button", { name: /^Do not suggest/ }).click();
    await line.waitFor({ state: "detached" });
    assert.equal((await shownIds(page, suggested))[0], second);
    await page.reload();
    await page.locator(suggested).first().waitFor();
    assert.ok(!(await shownIds(page, suggested)).includes(id));
    const { users } = await person.get("/api/v1/discover/suggested-users?limit=100");
    assert.ok(users.length > 0 && users.every(({ user }) => user.id !== id));
  });

  test("following from the box beside the feed brings posts in and another suggestion", async ({
    page,
    url,
    viewer,
  }) => {
    await openView(page, viewer, "following");
    const box = page.locator(".suggested .person-line");
    await box.nth(2).waitFor();
    const ids = await shownIds(page, ".suggested .person-line");
    const { id: postId } = await (await Person.of(url, { id: ids[0] })).post("Beside the feed, then in it.");
    await box
      .first()
      .getByRole("button", { name: /^Follow/ })
      .click();
    await cardOf(page, postId).waitFor();
    await eventually(async () => {
      const now = await shownIds(page, ".suggested .person-line");
      assert.equal(now.length, 3);
      assert.ok(!now.includes(ids[0]));
    });
  });

  test("a profile has all posts, followers and followed of a person", async ({ page, url, viewer, person }) => {
    const users = (await demoUsers(url, 100)).filter(({ id }) => id !== viewer.id);
    const famous = users.reduce((most, user) => (user.followers > most.followers ? user : most));
    assert.ok(famous.followers > 25, "nobody has followers enough to scroll");
    const path = `/api/v1/users/${famous.id}`;
    await openView(page, viewer, `profile/${famous.id}`);
    assert.equal(await page.locator(".profile .name-handle").innerText(), `@${famous.handle}`);
    const people = () => shownIds(page, ".people-card .person-line");
    for (const [tab, list, kind, shown] of [
      ["Posts", "posts", "posts", () => cardIds(page)],
      [/follower/, "followers", "users", people],
      [/following/, "following", "users", people],
    ]) {
      await eventually(async () => {
        // Others may follow and post meanwhile, and a list that is there already is not read again.
        await page.reload();
        await follow(page, famous.name, tab);
        await scrollToEnd(page);
        assert.deepEqual(
          await shown(),
          (await person.all(`${path}/${list}`, kind)).map(({ id }) => id),
        );
      });
    }
  });

  test("following on a profile counts there, and back again", async ({ page, url, viewer, person }) => {
    const followed = new Set((await person.all(`/api/v1/users/${viewer.id}/following`, "users")).map(({ id }) => id));
    const other = (await demoUsers(url, 100)).find(({ id }) => id !== viewer.id && !followed.has(id));
    await openView(page, viewer, `profile/${other.id}/followers`);
    const own = page.locator(`.people-card .person-line[data-user="${viewer.id}"]`);
    await page
      .locator(".profile-head")
      .getByRole("button", { name: /^Follow/ })
      .click();
    await page
      .locator(".profile-head")
      .getByRole("button", { name: /^Unfollow/ })
      .waitFor();
    await page.reload();
    await own.waitFor();
    await page
      .locator(".profile-head")
      .getByRole("button", { name: /^Unfollow/ })
      .click();
    await page
      .locator(".profile-head")
      .getByRole("button", { name: /^Follow/ })
      .waitFor();
    assert.ok(!(await person.all(`/api/v1/users/${viewer.id}/following`, "users")).some(({ id }) => id === other.id));
  });

  test(
    "a profile of nobody says so",
    async ({ page, viewer }) => {
      await openView(page, viewer, "profile/00000000-0000-4000-8000-000000000000");
      await page.getByRole("alert").getByText("That did not work").waitFor();
    },
    { allow: /status of 404/ },
  );
}
