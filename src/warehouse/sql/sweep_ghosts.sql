-- Takes out what count_ghosts.sql counts, as a deletion would: the sets and lists that hang on the tables follow.
INSERT INTO novafeed.users_cdc (id, external_id, handle, name, created_at, _version, _deleted)
SELECT id, external_id, handle, name, created_at, {version:UInt64}, 1
FROM novafeed.users_cdc FINAL
WHERE _version < {version:UInt64};

INSERT INTO novafeed.posts_cdc (id, external_id, user_id, text, created_at, deleted_at, _version, _deleted)
SELECT id, external_id, user_id, text, created_at, deleted_at, {version:UInt64}, 1
FROM novafeed.posts_cdc FINAL
WHERE _version < {version:UInt64};

INSERT INTO novafeed.comments_cdc
    (id, external_id, post_id, user_id, post_author_id, post_created_at, text, created_at, incarnation, _version, _deleted)
SELECT
    id, external_id, post_id, user_id, post_author_id, post_created_at, text, created_at, incarnation, {version:UInt64}, 1
FROM novafeed.comments_cdc FINAL
WHERE _version < {version:UInt64};

INSERT INTO novafeed.likes_cdc
    (user_id, post_id, post_author_id, post_created_at, created_at, incarnation, _version, _deleted)
SELECT user_id, post_id, post_author_id, post_created_at, created_at, incarnation, {version:UInt64}, 1
FROM novafeed.likes_cdc FINAL
WHERE _version < {version:UInt64};

INSERT INTO novafeed.follows_cdc (follower_id, following_id, created_at, incarnation, _version, _deleted)
SELECT follower_id, following_id, created_at, incarnation, {version:UInt64}, 1
FROM novafeed.follows_cdc FINAL
WHERE _version < {version:UInt64};
