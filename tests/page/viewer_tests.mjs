// Choosing a viewer, staying them, and what the server refuses.
import assert from "node:assert/strict";
import {
  cardIds,
  cardOf,
  chooseViewer,
  eventually,
  follow,
  isLiked,
  likeOf,
  openFeed,
  unlikedIds,
} from "./acts.mjs";
import { demoUsers } from "./demo_server.mjs";

export function addViewerTests(test) {
  test("a viewer is found by the beginning of their handle", async ({ page, viewer }) => {
    await page.goto("/");
    const beginning = `@${viewer.handle.slice(0, 4)}`;
    await page.getByLabel("Find by handle").fill(viewer.handle.slice(0, 4));
    // The viewer may have been in the list before: the others have to go.
    await page.locator(".person").filter({ hasNotText: beginning }).first().waitFor({ state: "detached" });
    const handles = await page.locator(".person .name-handle").allInnerTexts();
    assert.ok(handles.includes(`@${viewer.handle}`), handles.join());
    const people = await page.locator(".person .name").allInnerTexts();
    const letters = viewer.handle.slice(0, 4).toLowerCase();
    assert.ok(
      people.every((person) => person.toLowerCase().includes(letters)),
      people.join(),
    );
    await page.getByLabel("Find by handle").fill("nobody is called this");
    await page.getByText("Nobody's handle or name starts like that.").waitFor();
  });

  test("the viewer is still the same after a reload, until another one is chosen", async ({ page, viewer }) => {
    await chooseViewer(page, viewer);
    await page.reload();
    await page.locator(".post").first().waitFor();
    assert.equal(await page.locator(".viewer .name-handle").innerText(), `@${viewer.handle}`);
    await page.getByRole("button", { name: "Change viewer" }).click();
    await page.getByLabel("Find by handle").waitFor();
  });

  test("another viewer sees their own feed", async ({ page, url, viewer }) => {
    // The last one: no test has them as its viewer.
    const other = (await demoUsers(url, 100)).findLast(({ following }) => following >= 8);
    await chooseViewer(page, viewer);
    const before = await cardIds(page);
    await page.getByRole("button", { name: "Change viewer" }).click();
    await page.getByLabel("Find by handle").fill(other.handle);
    const read = page.waitForResponse((answer) => answer.url().includes("/api/v1/feed?"));
    await page
      .locator(".person", { hasText: `@${other.handle}` })
      .first()
      .click();
    const answer = await read;
    const expected = (await answer.json()).items.map(({ post }) => post.id);
    assert.notDeepEqual(expected, before.slice(0, expected.length), "the two viewers cannot be told apart");
    const [, claims] = answer.request().headers().authorization.split(".");
    const { sub } = JSON.parse(Buffer.from(claims, "base64url").toString());
    assert.equal(sub, other.id);
    await eventually(async () => assert.deepEqual((await cardIds(page)).slice(0, expected.length), expected));
  });

  test(
    "what the server refuses is shown in its words",
    async ({ page, viewer }) => {
      const detail = "Too many requests: wait 2 seconds, then try again.";
      await page.route("**/like", (route) =>
        route.fulfill({
          status: 429,
          contentType: "application/problem+json",
          json: { status: 429, code: "rate_limited", detail },
        }),
      );
      await openFeed(page, viewer);
      const card = cardOf(page, (await unlikedIds(page))[0]);
      await likeOf(card).click();
      assert.match(await page.getByRole("alert").locator(".alert").innerText(), new RegExp(detail));
      assert.equal(await isLiked(card), false);
      await page.getByRole("button", { name: "Close this message" }).click();
      assert.equal(await page.locator(".alert").count(), 0);
    },
    { allow: /status of 429/ },
  );

  test(
    "a server that is no demo is given a token",
    async ({ page, viewer, person }) => {
      let demoAsked = 0;
      await page.route("**/demo/users*", (route) => {
        ++demoAsked;
        return route.fulfill({ status: 404, json: { detail: "No such route." } });
      });
      let pipelineAsked = 0;
      page.on("request", (request) => (pipelineAsked += request.url().endsWith("/api/v1/pipeline") ? 1 : 0));
      await page.goto("/");
      const give = async (token, userId) => {
        await page.getByLabel("Token", { exact: true }).fill(token);
        await page.getByLabel("User id").fill(userId);
        await page.getByRole("button", { name: "Show the feed" }).click();
      };
      const refusal = (why) => page.getByRole("alert").filter({ hasText: why });
      const keeps = async (token, userId) => {
        const field = page.getByLabel("Token", { exact: true });
        assert.equal(await field.inputValue(), token);
        assert.equal(await page.getByLabel("User id").inputValue(), userId);
        assert.ok(await field.evaluate((input) => input === document.activeElement), "the field has no focus");
        assert.equal(await field.getAttribute("aria-invalid"), "true");
      };
      await give("nonsense", "");
      await refusal("novafeed token").waitFor();
      await keeps("nonsense", "");
      const forged = `${person.token.slice(0, -4)}AAAA`;
      await give(forged, "");
      await refusal("signature is wrong").waitFor();
      await keeps(forged, "");
      await give(person.token, "ext:nobody");
      await refusal("leave the field User id empty").waitFor();
      await keeps(person.token, "ext:nobody");
      await give(person.token, "");
      await page.locator(".post").first().waitFor();
      assert.equal(await page.locator(".viewer .name-handle").innerText(), `@${viewer.handle}`);
      assert.equal(await page.locator(".alert").count(), 0);
      const views = page.getByRole("navigation", { name: "Views" }).getByRole("link");
      assert.deepEqual(await views.allInnerTexts(), ["Feed", "Trending", "People", "Profile"]);
      await follow(page, "Views", "Trending");
      assert.equal(await page.locator(".pipeline-box").count(), 0);
      assert.equal(pipelineAsked, 0, "the page asks for what a user's token may not see");
      await page.getByRole("button", { name: "Change viewer" }).click();
      await page.getByLabel("Token", { exact: true }).waitFor();
      assert.equal(demoAsked, 1, "a server that is no demo is asked for its people again");
    },
    { allow: /status of (401|403|404)/ },
  );

  test(
    "an expired token is renewed",
    async ({ page, viewer }) => {
      await openFeed(page, viewer);
      let refused = 0;
      await page.route("**/api/v1/feed*", (route) =>
        refused++ === 0 ? route.fulfill({ status: 401, json: { detail: "The token has expired." } }) : route.continue(),
      );
      const renewed = page.waitForResponse(
        (answer) => answer.url().includes("/api/v1/feed") && answer.status() === 200,
      );
      await follow(page, "Feed", "Following");
      await renewed;
      await page.locator(".post").first().waitFor();
      assert.ok(refused > 1);
      assert.equal(await page.locator(".alert").count(), 0);
    },
    { allow: /status of 401/ },
  );

  test("the page's policy allows nothing from elsewhere and nothing inline", async ({ url }) => {
    const policy = (await fetch(`${url}/`)).headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  });
}
