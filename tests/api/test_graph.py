"""Users, posts, comments, likes, follows over HTTP (contract, sections 2 and 5)."""

import uuid

import pytest

from harness.client import assert_problem
from harness.ids import post_id, user_id


# --- Users.


def test_a_user_is_created_and_read_back(service):
    handle = f"ada-{uuid.uuid4().hex[:8]}"
    made = service.post("/api/v1/users", {"handle": handle, "name": "Ada"}).expect(201).json()
    read = service.get(f"/api/v1/users/{made['id']}").expect(200).json()
    assert read == made
    assert read == {"id": made["id"], "handle": handle, "name": "Ada", "created_at": made["created_at"],
                    "followers": 0, "following": 0}
    assert uuid.UUID(made["id"]).version == 7


def test_an_external_id_becomes_a_uuid_and_is_answered(service):
    external = f"me-{uuid.uuid4().hex}"
    made = service.post("/api/v1/users", {"id": f"ext:{external}", "handle": external, "name": ""}).expect(201).json()
    assert made["id"] == user_id(external)
    assert made["external_id"] == external
    assert service.get(f"/api/v1/users/ext:{external}").expect(200).json()["id"] == made["id"]


def test_creating_the_same_user_again_is_the_same_user(service):
    body = {"id": str(uuid.uuid4()), "handle": f"same-{uuid.uuid4().hex[:8]}", "name": "Same"}
    first = service.post("/api/v1/users", body).expect(201).json()
    assert service.post("/api/v1/users", body).expect(201).json() == first
    assert_problem(service.post("/api/v1/users", {**body, "name": "Other"}), 409, "id_conflict")


def test_a_handle_is_taken_once(service):
    handle = f"taken-{uuid.uuid4().hex[:8]}"
    service.post("/api/v1/users", {"handle": handle, "name": ""}).expect(201)
    assert_problem(service.post("/api/v1/users", {"handle": handle, "name": ""}), 409, "handle_taken")


@pytest.mark.parametrize("handle", ["", "x" * 65, "two\nlines", "bidi\u202e", 7],
                         ids=["empty", "too-long", "control", "bidi", "number"])
def test_bad_handles_are_refused(service, handle):
    assert_problem(service.post("/api/v1/users", {"handle": handle, "name": ""}), 422)


def test_a_handle_of_64_code_points_is_fine(service):
    service.post("/api/v1/users", {"handle": uuid.uuid4().hex + "\u00e9" * 32, "name": ""}).expect(201)


def test_unknown_users_are_404(service):
    assert_problem(service.get(f"/api/v1/users/{uuid.uuid4()}"), 404, "unknown_user")


def test_an_erased_user_is_gone_with_everything(person, service):
    ada, bob = person("ada"), person("bob")
    post = ada.post()
    other = bob.post()
    ada.like(other).expect(204)
    ada.comment(other)
    bob.follow(ada).expect(204)
    ada.http.delete(f"/api/v1/users/{ada.id}").expect(204)
    assert_problem(service.get(f"/api/v1/users/{ada.id}"), 404, "unknown_user")
    assert_problem(service.get(f"/api/v1/posts/{post['id']}"), 404, "unknown_post")
    counts = service.get(f"/api/v1/posts/{other['id']}").expect(200).json()
    assert (counts["likes"], counts["comments"]) == (0, 0)
    assert service.get(f"/api/v1/users/{bob.id}").json()["following"] == 0
    assert_problem(ada.http.get("/api/v1/feed"), 401, "user_erased")


def test_the_id_of_an_erased_user_is_never_accepted_again(person, service):
    ada = person("ada")
    ada.http.delete(f"/api/v1/users/{ada.id}").expect(204)
    assert_problem(service.post("/api/v1/users", {"id": ada.id, "handle": "again", "name": ""}), 409, "id_retired")


def test_nobody_erases_somebody_else(person, service, act_as):
    ada = person()
    assert_problem(person().http.delete(f"/api/v1/users/{ada.id}"), 403)
    assert_problem(service.delete(f"/api/v1/users/{ada.id}"), 403)
    act_as(ada.id).delete(f"/api/v1/users/{ada.id}").expect(204)


def test_an_admin_erases_anybody(person, server):
    server.client(scope="admin").delete(f"/api/v1/users/{person().id}").expect(204)


# --- Follows.


def test_follow_counts_on_both_sides_and_is_idempotent(person):
    ada, bob = person("ada"), person("bob")
    for _ in range(2):
        ada.follow(bob).expect(204)
    assert ada.http.get(f"/api/v1/users/{bob.id}").json()["followers"] == 1
    assert ada.http.get(f"/api/v1/users/{ada.id}").json()["following"] == 1
    for _ in range(2):
        ada.http.delete(f"/api/v1/users/{bob.id}/follow").expect(204)
    assert ada.http.get(f"/api/v1/users/{bob.id}").json()["followers"] == 0


def test_nobody_follows_themselves(person):
    ada = person()
    assert_problem(ada.follow(ada), 422, "self_follow")


def test_following_an_unknown_user_is_404(person):
    assert_problem(person().http.put(f"/api/v1/users/{uuid.uuid4()}/follow"), 404, "unknown_user")


def test_follower_lists_are_newest_first_in_pages(person):
    star = person("star")
    fans = [person("fan") for _ in range(5)]
    for fan in fans:
        fan.follow(star).expect(204)
    seen, cursor = [], None
    while True:
        page = star.http.get(f"/api/v1/users/{star.id}/followers", limit=2, cursor=cursor).expect(200).json()
        seen += [user["id"] for user in page["users"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["users"]) == 2
    assert sorted(seen) == sorted(fan.id for fan in fans) and len(seen) == 5
    following = fans[0].http.get(f"/api/v1/users/{fans[0].id}/following").json()
    assert [user["id"] for user in following["users"]] == [star.id]


# --- Posts.


def test_a_post_is_created_and_read_back(person):
    ada = person()
    made = ada.post("Hello, \u4e16\u754c \U0001f30d")
    assert made == {"id": made["id"], "author_id": ada.id, "text": "Hello, \u4e16\u754c \U0001f30d",
                    "created_at": made["created_at"], "likes": 0, "comments": 0, "shares": 0, "impressions": 0}
    assert ada.http.get(f"/api/v1/posts/{made['id']}").expect(200).json() == made


def test_an_edit_changes_the_text_and_keeps_the_time(person):
    ada = person()
    post = ada.post("before")
    edited = ada.http.patch(f"/api/v1/posts/{post['id']}", {"text": "after"}).expect(200).json()
    assert edited == {**post, "text": "after"}
    assert ada.http.get(f"/api/v1/posts/{post['id']}").json()["text"] == "after"


def test_only_the_author_or_the_platform_edits_and_deletes(person, service, act_as):
    ada, bob = person(), person()
    post = ada.post()
    assert_problem(bob.http.patch(f"/api/v1/posts/{post['id']}", {"text": "x"}), 403, "not_yours")
    assert_problem(bob.http.delete(f"/api/v1/posts/{post['id']}"), 403, "not_yours")
    assert_problem(act_as(bob.id).delete(f"/api/v1/posts/{post['id']}"), 403, "not_yours")
    service.patch(f"/api/v1/posts/{post['id']}", {"text": "moderated"}).expect(200)
    service.delete(f"/api/v1/posts/{post['id']}").expect(204)


def test_a_deleted_post_is_gone_and_its_id_stays_taken(person, act_as):
    ada = person()
    chosen = str(uuid.uuid4())
    act_as(ada.id).post("/api/v1/posts", {"text": "x", "id": chosen}).expect(201)
    ada.http.delete(f"/api/v1/posts/{chosen}").expect(204)
    assert_problem(ada.http.get(f"/api/v1/posts/{chosen}"), 404, "unknown_post")
    assert_problem(ada.http.patch(f"/api/v1/posts/{chosen}", {"text": "y"}), 404, "unknown_post")
    assert_problem(act_as(ada.id).post("/api/v1/posts", {"text": "x", "id": chosen}), 409, "id_retired")


def test_a_known_post_id_with_the_same_body_is_the_same_post(person, act_as):
    platform = act_as(person().id)
    body = {"text": "once", "id": str(uuid.uuid4())}
    first = platform.post("/api/v1/posts", body).expect(201).json()
    assert platform.post("/api/v1/posts", body).expect(201).json() == first
    assert_problem(platform.post("/api/v1/posts", {**body, "text": "twice"}), 409, "id_conflict")


@pytest.mark.parametrize(("text", "status"), [("", 422), ("x" * 10_000, 201), ("\u00e9" * 10_000, 201),
                                              ("x" * 10_001, 422), (None, 422), (5, 422)],
                         ids=["empty", "longest", "longest-unicode", "too-long", "null", "number"])
def test_texts_have_one_to_ten_thousand_code_points(person, text, status):
    assert person().http.post("/api/v1/posts", {"text": text}).status == status


def test_hostile_text_comes_back_as_it_was(person):
    ada = person()
    text = "<script>alert(1)</script> javascript:x \u202eevil\u202c \" \\ \u0001"
    assert ada.http.get(f"/api/v1/posts/{ada.post(text)['id']}").json()["text"] == text


def test_posts_of_a_user_are_newest_first(person):
    ada = person()
    posts = [ada.post(str(n))["id"] for n in range(5)]
    listed = ada.http.get(f"/api/v1/users/{ada.id}/posts", limit=100).expect(200).json()
    assert sorted(post["id"] for post in listed["posts"]) == sorted(posts)
    times = [post["created_at"] for post in listed["posts"]]
    assert times == sorted(times, reverse=True)
    assert listed["next_cursor"] is None


# --- Likes.


def test_like_raises_the_count_once(person):
    ada, bob = person(), person()
    post = ada.post()
    for _ in range(3):
        bob.like(post).expect(204)
    assert ada.http.get(f"/api/v1/posts/{post['id']}").json()["likes"] == 1


def test_unlike_takes_it_back_and_liking_again_counts_again(person):
    ada, bob = person(), person()
    post = ada.post()
    for expected, act in ((1, bob.like), (0, bob.unlike), (0, bob.unlike), (1, bob.like)):
        act(post).expect(204)
        assert ada.http.get(f"/api/v1/posts/{post['id']}").json()["likes"] == expected


def test_the_author_may_like_their_own_post(person):
    ada = person()
    post = ada.post()
    ada.like(post).expect(204)
    assert ada.http.get(f"/api/v1/posts/{post['id']}").json()["likes"] == 1


def test_a_deleted_post_takes_no_likes_and_no_comments_but_unlikes(person):
    ada, bob = person(), person()
    post = ada.post()
    bob.like(post).expect(204)
    comment = bob.comment(post)
    ada.http.delete(f"/api/v1/posts/{post['id']}").expect(204)
    assert_problem(person().like(post), 404, "unknown_post")
    assert_problem(bob.http.post(f"/api/v1/posts/{post['id']}/comments", {"text": "x"}), 404, "unknown_post")
    bob.unlike(post).expect(204)
    bob.http.delete(f"/api/v1/comments/{comment['id']}").expect(204)


def liked(person, *posts):
    return person.http.get("/api/v1/likes", posts=",".join(posts)).expect(200).json()["liked"]


def test_of_named_posts_those_that_one_likes_are_told(person):
    ada, bob = person(), person()
    posts = [ada.post(str(n)) for n in range(4)]
    ids = [post["id"] for post in posts]
    assert liked(bob, *ids) == []
    bob.like(posts[2]).expect(204)
    bob.like(posts[0]).expect(204)
    ada.like(posts[1]).expect(204)
    assert liked(bob, *ids) == [ids[0], ids[2]], "in the order of the question"
    assert liked(ada, *ids) == [ids[1]]
    bob.unlike(posts[0]).expect(204)
    assert liked(bob, *ids) == [ids[2]]
    ada.http.delete(f"/api/v1/posts/{ids[2]}").expect(204)
    assert liked(bob, *ids) == [], "a deleted post is gone from every answer"


def test_likes_are_told_of_whom_a_service_names_and_as_the_posts_are_named(person, act_as, service):
    bob = person()
    own = f"liked-{uuid.uuid4().hex}"
    act_as(bob.id).post("/api/v1/posts", {"text": "x", "id": f"ext:{own}"}).expect(201)
    act_as(bob.id).put(f"/api/v1/posts/ext:{own}/like").expect(204)
    unknown = str(uuid.uuid4()).upper()
    answer = act_as(bob.id).get("/api/v1/likes", posts=f"{unknown},ext:{own},{post_id(own)}").expect(200).json()
    assert answer == {"liked": [f"ext:{own}", post_id(own)]}
    assert act_as(str(uuid.uuid4())).get("/api/v1/likes", posts=f"ext:{own}").expect(200).json() == {"liked": []}
    assert_problem(service.get("/api/v1/likes", posts=f"ext:{own}"), 400, "user_required")


def test_a_like_by_an_event_is_told_as_well(person, server):
    ada, bob = person(), person()
    post = ada.post()
    for kind, expected in (("like", [post["id"]]), ("unlike", [])):
        event = {"event_id": str(uuid.uuid4()), "type": kind, "post_id": post["id"], "at": server.now()}
        bob.http.post("/api/v1/events", {"events": [event]}).expect(202)
        assert liked(bob, post["id"]) == expected


def test_likes_of_a_hundred_posts_are_told_at_once(person):
    ada = person()
    mine = ada.post()
    ada.like(mine).expect(204)
    others = [str(uuid.uuid4()) for _ in range(99)]
    assert liked(ada, *others, mine["id"]) == [mine["id"]]
    assert_problem(ada.http.get("/api/v1/likes", posts=",".join([*others, mine["id"], mine["id"]])), 400, "bad_posts")


@pytest.mark.parametrize("posts", [None, "", ",", "7", "ext:", f"{uuid.uuid4()},", f"{uuid.uuid4()},x"])
def test_likes_of_no_posts_are_refused(person, posts):
    assert "posts" in assert_problem(person().http.get("/api/v1/likes", posts=posts), 400, "bad_posts")["detail"]


def test_liking_an_unknown_post_is_404(person):
    assert_problem(person().http.put(f"/api/v1/posts/{uuid.uuid4()}/like"), 404, "unknown_post")


# --- Comments.


def test_comments_are_listed_newest_first_and_counted(person):
    ada, bob = person(), person()
    post = ada.post()
    made = [bob.comment(post, f"comment {n}") for n in range(3)]
    listed = ada.http.get(f"/api/v1/posts/{post['id']}/comments").expect(200).json()
    assert {comment["id"] for comment in listed["comments"]} == {comment["id"] for comment in made}
    assert made[0].keys() == {"id", "post_id", "user_id", "text", "created_at"}
    assert ada.http.get(f"/api/v1/posts/{post['id']}").json()["comments"] == 3


def test_a_comment_is_deleted_by_its_writer_or_the_posts_author(person):
    ada, bob = person(), person()
    post = ada.post()
    first, second = bob.comment(post), bob.comment(post)
    assert_problem(person().http.delete(f"/api/v1/comments/{first['id']}"), 403, "not_yours")
    bob.http.delete(f"/api/v1/comments/{first['id']}").expect(204)
    ada.http.delete(f"/api/v1/comments/{second['id']}").expect(204)
    assert ada.http.get(f"/api/v1/posts/{post['id']}").json()["comments"] == 0


def test_the_id_of_a_deleted_comment_is_never_accepted_again(person, act_as):
    ada = person()
    post = ada.post()
    platform = act_as(ada.id)
    body = {"text": "x", "id": str(uuid.uuid4())}
    platform.post(f"/api/v1/posts/{post['id']}/comments", body).expect(201)
    platform.delete(f"/api/v1/comments/{body['id']}").expect(204)
    assert_problem(platform.post(f"/api/v1/posts/{post['id']}/comments", body), 409, "id_retired")


# --- Positions.


def test_every_write_answers_with_a_position_and_reads_wait_for_it(person):
    ada, bob = person(), person()
    post = ada.post()
    answer = bob.like(post).expect(204)
    assert answer.position
    page = ada.http.get("/api/v1/feed", min_position=answer.position).expect(200).json()
    assert page["degraded"] == []


def test_a_write_that_was_given_a_position_answers_with_the_union(person, server, service):
    ada = person()
    post = ada.post()
    event = {"event_id": str(uuid.uuid4()), "type": "view", "post_id": post["id"], "at": server.now()}
    of_event = ada.http.post("/api/v1/events", {"events": [event]}).expect(202).position
    of_post = ada.http.post("/api/v1/posts", {"text": "x"}).expect(201).position
    both = ada.http.request("POST", "/api/v1/posts", body={"text": "y"},
                            headers={"Novafeed-Position": of_event}).expect(201).position
    assert both not in (of_event, of_post)
    ada.http.get("/api/v1/feed", min_position=[of_event, of_post, both]).expect(200)


def test_positions_that_are_none_are_refused(person):
    assert_problem(person().http.get("/api/v1/feed", min_position="rubbish"), 400, "bad_position")
