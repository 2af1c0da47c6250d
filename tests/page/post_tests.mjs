// What a viewer does with posts, and what becomes of the ranking.
import assert from "node:assert/strict";
import {
  cardIds,
  cardOf,
  countOf,
  eventually,
  follow,
  isLiked,
  isRead,
  likeOf,
  noSidewaysScroll,
  openFeed,
  openView,
  pressAndReread,
  scoreOf,
  unlikedIds,
} from "./acts.mjs";
import { demoUsers, Person } from "./demo_server.mjs";

/** Likes cards from the bottom up until one of them moves up; demo people may have liked some before. */
async function likeUntilOneMoves(page) {
  for (let place = 19; place > 4; --place) {
    const id = (await cardIds(page))[place];
    const card = cardOf(page, id);
    if (await isLiked(card)) continue;
    const likes = await countOf(card, "like");
    const score = await scoreOf(card);
    const before = (await cardIds(page)).indexOf(id);
    await pressAndReread(page, likeOf(card));
    const after = (await cardIds(page)).indexOf(id);
    if (after < 0 || after >= before || (await countOf(card, "like")) !== likes + 1) continue;
    return { card, score, moved: before - after };
  }
  throw new Error("no liked card moved up");
}

export function addPostTests(test) {
  test("a like raises the post's score and moves it up, with a hint", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    const { card, score, moved } = await likeUntilOneMoves(page);
    const places = `${moved} place${moved === 1 ? "" : "s"}`;
    assert.ok((await scoreOf(card)) > score);
    assert.equal(await card.locator(".move").innerText(), `▲${moved}`);
    assert.equal(await card.locator(".move").getAttribute("aria-label"), `up ${places}`);
    assert.equal(await page.locator(".notice span").innerText(), `The post has moved up ${places}.`);
    assert.ok((await page.glides()) > 0, "nothing was animated");
    const focused = await likeOf(card).evaluate((button) => button === document.activeElement);
    assert.ok(focused, "the button lost the focus when its card was moved");
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    // Most often it glides no longer by now.
    await card.evaluate((one) => one.animate([{ transform: "translateY(3000px)" }, {}], 60_000));
    await page.locator(".notice").getByRole("button", { name: "Show it" }).click();
    await page.locator(".notice").waitFor({ state: "detached" });
    assert.ok(await card.evaluate((one) => one === document.activeElement), "the post has not the focus");
    await eventually(async () =>
      assert.ok(
        await card.evaluate((one) => {
          for (const glide of one.getAnimations()) glide.finish();
          const { top, bottom } = one.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        }),
        "the post is not in the window",
      ),
    );
  });

  test("a liked post that falls is told with its reason", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    const id = (await unlikedIds(page))[0];
    await page.route("**/api/v1/feed?*", async (route) => {
      const response = await route.fetch();
      const body = await response.json();
      const others = body.items.filter(({ post }) => post.id !== id);
      const own = body.items.filter(({ post }) => post.id === id);
      await route.fulfill({ response, json: { ...body, items: [...others, ...own] } });
    });
    await likeOf(cardOf(page, id)).click();
    const told = page.locator(".notice", { hasText: /^The post has moved down \d+ places?\. Your like lifts/ });
    await told.waitFor();
  });

  test("an unlike takes the like back", async ({ page, viewer }) => {
    // The tab whose order is that of time: without its like a ranked post may fall out of the feed.
    await openFeed(page, viewer, "following");
    // Not the newest: other tests write those, and like them meanwhile.
    const card = cardOf(page, (await unlikedIds(page))[8]);
    const likes = await countOf(card, "like");
    await pressAndReread(page, likeOf(card));
    assert.equal(await isLiked(card), true);
    const liked = await countOf(card, "like");
    assert.ok(liked > likes);
    await pressAndReread(page, likeOf(card));
    assert.equal(await isLiked(card), false);
    assert.equal(await countOf(card, "like"), liked - 1);
  });

  test("what one likes is known after a reload, in other tabs and all lists", async ({ page, viewer, person }) => {
    await openFeed(page, viewer, "following");
    const [id, other] = (await unlikedIds(page)).slice(8);
    const heart = (view) => cardOf(view, id);
    await pressAndReread(page, likeOf(heart(page)));
    await page.reload();
    await isRead(page);
    assert.equal(await isLiked(heart(page)), true, "the reload has forgotten it");

    const tab = await page.context().newPage();
    await openFeed(tab, viewer, "following");
    assert.equal(await isLiked(heart(tab)), true, "the other tab does not know it");
    await pressAndReread(tab, likeOf(heart(tab)));
    await person.like(other);
    await pressAndReread(page, page.locator(".post").nth(5).locator(".act-share"));
    await eventually(async () => assert.equal(await isLiked(heart(page)), false, "what another tab takes back stays"));
    await eventually(async () => assert.equal(await isLiked(cardOf(page, other)), true));

    const { author_id } = await person.get(`/api/v1/posts/${other}`);
    await openView(tab, viewer, `profile/${author_id}`);
    await cardOf(tab, other).waitFor();
    await isRead(tab);
    assert.equal(await isLiked(cardOf(tab, other)), true, "the profile does not know it");
    await openView(tab, viewer, "trending/24h");
    await tab.locator(".post").first().waitFor();
    await isRead(tab);
    const { liked } = await person.get(`/api/v1/likes?posts=${(await cardIds(tab)).join()}`);
    const unliked = new Set(await unlikedIds(tab));
    assert.deepEqual(
      (await cardIds(tab)).filter((one) => !unliked.has(one)),
      liked,
    );
    await tab.close();
  });

  test("likes are asked for once with each page of posts", async ({ page, viewer }) => {
    const asked = { feed: 0, likes: [] };
    page.on("request", (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === "/api/v1/feed") ++asked.feed;
      if (pathname === "/api/v1/likes") asked.likes.push(searchParams.get("posts").split(","));
    });
    await openFeed(page, viewer);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.locator(".post").nth(25).waitFor();
    await isRead(page);
    assert.equal(asked.likes.length, asked.feed);
    assert.deepEqual(asked.likes.flat(), await cardIds(page));
  });

  test("an answer from before a like does not take it back", async ({ page, viewer }) => {
    await openFeed(page, viewer, "following");
    const id = (await unlikedIds(page))[8];
    const likesTold = () => page.waitForResponse((answer) => answer.url().includes("/api/v1/likes?"));
    let release;
    const released = new Promise((resolve) => (release = resolve));
    let hold;
    const held = new Promise((resolve) => (hold = resolve));
    const answerLate = async (route) => {
      const response = await route.fetch();
      hold();
      await released;
      await route.fulfill({ response });
    };
    await page.route("**/api/v1/likes?*", answerLate, { times: 1 });
    await page.locator(".post").nth(5).locator(".act-share").click();
    await held;
    const afterTheLike = likesTold();
    await likeOf(cardOf(page, id)).click();
    await afterTheLike;
    const askedAgain = page.waitForRequest((request) => request.url().includes("/api/v1/likes?"));
    release();
    await (await (await askedAgain).response()).finished();
    assert.equal(await isLiked(cardOf(page, id)), true);
  });

  test(
    "cards jump without animation for who wants less motion",
    async ({ page, viewer }) => {
      await openFeed(page, viewer);
      await likeUntilOneMoves(page);
      assert.equal(await page.glides(), 0);
    },
    { context: { reducedMotion: "reduce" } },
  );

  test("a comment is counted and shown", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    const card = cardOf(page, (await cardIds(page))[0]);
    const before = await countOf(card, "comment");
    await card.locator(".act-comment").click();
    await card.getByLabel("Write a comment").fill("Is <b>this</b> text? 👍");
    await pressAndReread(page, card.getByRole("button", { name: "Comment", exact: true }));
    assert.equal(await card.locator(".comment .text").first().innerText(), "Is <b>this</b> text? 👍");
    assert.equal(await countOf(card, "comment"), before + 1);
    assert.equal(await card.getByLabel("Write a comment").inputValue(), "");
  });

  test("a share is counted", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    const card = cardOf(page, (await cardIds(page))[0]);
    const before = await countOf(card, "share");
    await pressAndReread(page, card.locator(".act-share"));
    assert.equal(await countOf(card, "share"), before + 1);
  });

  test("following brings an author's posts in, unfollowing takes them out", async ({ page, url, viewer, person }) => {
    const followed = new Set((await person.all(`/api/v1/users/${viewer.id}/following`, "users")).map(({ id }) => id));
    const author = (await demoUsers(url, 100)).find(({ id }) => id !== viewer.id && !followed.has(id));
    const { id } = await (await Person.of(url, author)).post("Somebody should follow me for this.");
    await openFeed(page, viewer, "following");
    assert.equal(await cardOf(page, id).count(), 0);
    await openView(page, viewer, `profile/${author.id}`);
    await page
      .locator(".profile-head")
      .getByRole("button", { name: `Follow ${author.name}` })
      .click();
    await page.locator(".notice", { hasText: `You follow ${author.name}.` }).waitFor();
    await follow(page, "Views", "Feed");
    await follow(page, "Feed", "Following");
    await cardOf(page, id).waitFor();
    await pressAndReread(page, cardOf(page, id).getByRole("button", { name: /^Unfollow/ }));
    assert.equal(await cardOf(page, id).count(), 0);
  });

  test("a post that is written here shows on one's profile", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    const text = `Written on the page at ${new Date().toISOString()}`;
    await page.getByLabel("What is new?").fill(text);
    await pressAndReread(page, page.getByRole("button", { name: "Post", exact: true }));
    await page.locator(".notice", { hasText: "Posted." }).waitFor();
    assert.equal(await page.getByLabel("What is new?").inputValue(), "");
    await page.locator(".notice").getByRole("link", { name: "See it on your profile" }).click();
    await page.locator(".profile").waitFor();
    assert.equal(await page.locator(".notice").count(), 0);
    const own = page.locator(".post").first();
    await eventually(async () => assert.equal(await own.locator(".text").innerText(), text));
    assert.equal(
      await page.getByRole("main").getByRole("button", { name: /ollow/ }).count(),
      0,
      "one can follow oneself",
    );
  });

  test("one's own post is edited, by keyboard", async ({ page, viewer, person }) => {
    const { id } = await person.post("Written in a hury.");
    await openView(page, viewer, `profile/${viewer.id}`);
    const card = cardOf(page, id);
    const edit = card.getByRole("button", { name: "Edit the post" });
    await edit.focus();
    await page.keyboard.press("Enter");
    const field = card.getByLabel("Edit the post", { exact: true }).and(page.locator("textarea"));
    await field.waitFor();
    assert.equal(await field.inputValue(), "Written in a hury.");
    await page.keyboard.press("Escape");
    await field.waitFor({ state: "detached" });
    assert.ok(await edit.evaluate((button) => button === document.activeElement), "the focus is lost");
    await page.keyboard.press("Enter");
    await field.waitFor();
    await page.keyboard.type(" No longer.");
    await page.keyboard.press("Control+Enter");
    await page.locator(".notice", { hasText: "The post is changed." }).waitFor();
    await eventually(async () =>
      assert.equal(await card.locator("p.text").innerText(), "Written in a hury. No longer."),
    );
    assert.ok(await edit.evaluate((button) => button === document.activeElement), "the focus is lost");
    assert.equal((await person.get(`/api/v1/posts/${id}`)).text, "Written in a hury. No longer.");
  });

  test(
    "an edit that is refused is told, and not lost",
    async ({ page, viewer, person }) => {
      const { id } = await person.post("As it was.");
      await openView(page, viewer, `profile/${viewer.id}`);
      const card = cardOf(page, id);
      await card.getByRole("button", { name: "Edit the post" }).click();
      await card.locator("textarea").fill("Another text.");
      await page.route("**/api/v1/posts/*", (route) => route.fulfill({ status: 503, json: { detail: "Not now." } }));
      await card.getByRole("button", { name: "Save" }).click();
      await page.locator(".alert", { hasText: "Not now." }).waitFor();
      assert.equal(await card.locator("textarea").inputValue(), "Another text.");
      await page.getByRole("button", { name: "Close this message" }).click();
      await card.getByRole("button", { name: "Delete the post" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete the post" }).click();
      await page.locator(".alert", { hasText: "Not now." }).waitFor();
      assert.equal(await card.count(), 1);
      assert.equal((await person.get(`/api/v1/posts/${id}`)).text, "As it was.");
    },
    { allow: /status of 503/ },
  );

  test("one's own post is deleted, by keyboard, once that was confirmed", async ({ page, viewer, person }) => {
    const kept = await person.post("This one stays.");
    const { id } = await person.post("This one goes.");
    await openView(page, viewer, `profile/${viewer.id}`);
    const card = cardOf(page, id);
    const remove = card.getByRole("button", { name: "Delete the post" });
    await remove.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Delete this post?" });
    await dialog.waitFor();
    const keep = dialog.getByRole("button", { name: "Keep it" });
    assert.ok(await keep.evaluate((button) => button === document.activeElement), "a key too many would delete it");
    for (const no of ["Enter", "Escape"]) {
      await page.keyboard.press(no);
      await dialog.waitFor({ state: "detached" });
      assert.ok(await remove.evaluate((button) => button === document.activeElement), "the focus is lost");
      await page.keyboard.press("Enter");
      await dialog.waitFor();
    }
    assert.equal((await person.get(`/api/v1/posts/${id}`)).text, "This one goes.");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator(".notice", { hasText: "The post is deleted." }).waitFor();
    await card.waitFor({ state: "detached" });
    const next = cardOf(page, kept.id);
    await eventually(async () => assert.ok(await next.evaluate((one) => one === document.activeElement)));
    await assert.rejects(person.get(`/api/v1/posts/${id}`), /404/);
  });

  test("what is somebody else's is not there to be edited or deleted", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    assert.equal(await page.locator(".own-actions").count(), 0);
  });

  test("comments are deleted by who wrote them, and by the post's author", async ({ page, url, viewer, person }) => {
    const { users } = await person.get(`/api/v1/users/${viewer.id}/following?limit=1`);
    const other = await Person.of(url, users[0]);
    const theirs = await other.post("What do you say?");
    await other.comment(theirs.id, "Nothing, myself.");
    await person.comment(theirs.id, "Much, and too much.");
    const mine = await person.post("And here?");
    await other.comment(mine.id, "Not wanted here.");

    const openComments = async (post) => {
      await openView(page, viewer, `profile/${post.author_id}`);
      const card = cardOf(page, post.id);
      await card.locator(".act-comment").click();
      return card;
    };
    const removeOnly = async (card, text) => {
      const line = card.locator(".comment", { hasText: text });
      await line.getByRole("button", { name: "Delete the comment" }).click();
      const dialog = page.getByRole("dialog", { name: "Delete this comment?" });
      await dialog.getByRole("button", { name: "Keep it" }).click();
      await dialog.waitFor({ state: "detached" });
      assert.equal(await line.count(), 1);
      await line.getByRole("button", { name: "Delete the comment" }).click();
      await dialog.getByRole("button", { name: "Delete the comment" }).click();
      await page.locator(".notice", { hasText: "The comment is deleted." }).waitFor();
      await line.waitFor({ state: "detached" });
    };
    let card = await openComments(theirs);
    await card.locator(".comment", { hasText: "Nothing, myself." }).waitFor();
    assert.equal(await card.getByRole("button", { name: "Delete the comment" }).count(), 1, "only one's own");
    await removeOnly(card, "Much, and too much.");
    await eventually(async () => assert.equal(await countOf(card, "comment"), 1));
    card = await openComments(mine);
    await removeOnly(card, "Not wanted here.");
    await eventually(async () => assert.equal(await countOf(card, "comment"), 0));
    const { comments } = await person.get(`/api/v1/posts/${theirs.id}/comments`);
    assert.deepEqual(
      comments.map(({ text }) => text),
      ["Nothing, myself."],
    );
  });

  test(
    "a text that is too long is not sent, and one that is refused is not lost",
    async ({ page, viewer }) => {
      await openFeed(page, viewer);
      await page.getByLabel("What is new?").fill("x".repeat(10_001));
      await page.getByText("1 characters too many").waitFor();
      assert.ok(await page.getByRole("button", { name: "Post", exact: true }).isDisabled());
      await page.getByLabel("What is new?").fill("This is refused.");
      await page.route("**/api/v1/posts", (route) => route.fulfill({ status: 503, json: { detail: "Not now." } }));
      await page.getByRole("button", { name: "Post", exact: true }).click();
      await page.locator(".alert", { hasText: "Not now." }).waitFor();
      assert.equal(await page.getByLabel("What is new?").inputValue(), "This is refused.");
    },
    { allow: /status of 503/ },
  );

  test(
    "what was sent is not sent again because the feed cannot be read after it",
    async ({ page, viewer, person }) => {
      await openFeed(page, viewer);
      const sent = [];
      page.on("request", (request) => request.method() === "POST" && sent.push(new URL(request.url()).pathname));
      await page.route("**/api/v1/feed?*", (route) => route.abort());
      const send = async (within, label, button, text) => {
        await within.getByLabel(label).fill(text);
        await within.getByRole("button", { name: button, exact: true }).click();
        await page.locator(".alert", { hasText: "The server does not answer." }).waitFor();
        await eventually(async () => assert.equal(await within.getByLabel(label).inputValue(), ""));
        await page.getByRole("button", { name: "Close this message" }).click();
      };
      await send(page, "What is new?", "Post", "Sent once.");
      await page.locator(".notice", { hasText: "Posted." }).waitFor();
      const card = page.locator(".post").first();
      await card.locator(".act-comment").click();
      await send(card, "Write a comment", "Comment", "Said once.");
      await card.locator(".comment .text", { hasText: "Said once." }).waitFor();
      const commented = `/api/v1/posts/${await card.getAttribute("data-post")}/comments`;
      assert.deepEqual(
        sent.filter((path) => path !== "/api/v1/events"),
        ["/api/v1/posts", commented],
      );
      const { posts } = await person.get(`/api/v1/users/${viewer.id}/posts?limit=20`);
      assert.equal(posts.filter(({ text }) => text === "Sent once.").length, 1);
    },
    { allow: /net::ERR_FAILED/ },
  );

  test("hostile text stays text", async ({ page, url, viewer, person }) => {
    const { users } = await person.get(`/api/v1/users/${viewer.id}/following?limit=1`);
    const author = await Person.of(url, users[0]);
    const texts = [
      "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'><svg onload='window.hacked = 3'>",
      "javascript:window.hacked=4 [x](javascript:window.hacked=5) &lt;b&gt; &amp; ${window.hacked=6} {{7*7}}",
      "right to left \u202e gnorw si siht \u2066 isolate \u202d override \u2069 and never closed \u202b\u202e",
      "line one\n\u202eline two\n  three \u0007\u200d\ufeff.",
      "unbroken".repeat(400),
    ];
    const ids = [];
    for (const text of texts) ids.push((await author.post(text)).id);
    for (const hash of ["following", `profile/${author.user.id}`]) {
      await openView(page, viewer, hash);
      for (const [place, text] of texts.entries()) {
        const shown = cardOf(page, ids[place]).locator(".text");
        assert.equal(await shown.evaluate((element) => element.textContent), text);
        assert.ok(
          await shown.evaluate((element) => element.childNodes.length === 1 && element.firstChild.nodeType === 3),
        );
        assert.equal(await shown.evaluate((element) => getComputedStyle(element).unicodeBidi), "plaintext");
      }
      await noSidewaysScroll(page, "a page with an endless word");
    }
    const card = cardOf(page, ids[0]);
    await card.locator(".act-comment").click();
    await card.getByLabel("Write a comment").fill(texts[0]);
    await card.getByRole("button", { name: "Comment", exact: true }).click();
    await card.locator(".comment .text", { hasText: "<script>" }).waitFor();
    const links = await page.locator("a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    assert.deepEqual(
      links.filter((href) => !/^(#|\/docs$)/.test(href)),
      [],
    );
    assert.equal(await page.locator(".text *, main script, main img").count(), 0);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
  });

  test("each seen card is reported once", async ({ page, viewer }) => {
    const reported = [];
    page.on("request", (request) => {
      if (!request.url().endsWith("/api/v1/events")) return;
      for (const event of request.postDataJSON().events) if (event.type === "impression") reported.push(event.post_id);
    });
    await openFeed(page, viewer);
    const ids = (await cardIds(page)).slice(0, 20);
    // What is seen is noted with the frame that shows it.
    const showCard = (id) =>
      cardOf(page, id).evaluate((card) => {
        card.scrollIntoView({ block: "center" });
        return new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)));
      });
    await eventually(async () => {
      for (const id of ids) await showCard(id);
      assert.ok(
        ids.every((id) => reported.includes(id)),
        `${reported.length} cards were reported`,
      );
    });
    // Once more past all of them, and an event after it that is certain to be sent.
    for (const id of ids) await showCard(id);
    await pressAndReread(page, cardOf(page, ids[0]).locator(".act-share"));
    assert.equal(new Set(reported).size, reported.length);
  });

  test(
    "what could not be told is told after a reload, once",
    async ({ page, viewer, person }) => {
      const { id } = await person.get("/api/v1/feed?limit=1").then(({ items }) => items[0].post);
      const countsOf = async () =>
        (({ impressions, shares }) => ({ impressions, shares }))(await person.get(`/api/v1/posts/${id}`));
      await page.route("**/api/v1/events", (route) => route.abort());
      await openFeed(page, viewer);
      const before = await countsOf();
      await cardOf(page, id).locator(".act-share").click();
      await page.locator(".alert", { hasText: "Not counted yet, it will be sent again." }).waitFor();
      const waiting = () =>
        page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("novafeed.events.")).length);
      assert.ok((await waiting()) >= 2, "the share and the impression do not wait");
      await page.unroute("**/api/v1/events");
      await page.reload();
      await page.waitForFunction((share) => {
        const events = Object.keys(localStorage).filter((name) => name.startsWith("novafeed.events."));
        return !events.some((name) => localStorage.getItem(name).includes(share));
      }, '"type":"share"');
      assert.equal((await countsOf()).shares, before.shares + 1);
    },
    { allow: /net::ERR_FAILED/ },
  );
}
