-- Puts the pseudonyms of novafeed.erasing in the place of its users, in every version of every row that names them, as
-- the log has them from then on; of what was theirs also handle, name, external id and text. May be repeated. Where an
-- id is part of the key, the row comes in under the pseudonym before the old one goes; views then see the same
-- incarnations and identities once more, which changes nothing. With mutations_sync = 2, and while nobody lands
-- anything. A plain NULL would leave the bytes of an external id in their place and only say that they do not count; so
-- it is an empty text that becomes NULL.

INSERT INTO novafeed.users_cdc
    (id, external_id, handle, name, created_at, _version, _deleted)
WITH (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing) AS names
SELECT
    names[rows.id] AS id,
    NULL AS external_id,
    toString(names[rows.id]) AS handle,
    '' AS name,
    rows.created_at,
    rows._version,
    rows._deleted
FROM novafeed.users_cdc AS rows
WHERE rows.id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.users_cdc
    DELETE WHERE id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.posts_cdc
    UPDATE external_id = nullIf(left(text, 0), ''), text = '', user_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[user_id]
        WHERE user_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.comments_cdc
    UPDATE external_id = nullIf(left(text, 0), ''), text = '', user_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[user_id]
        WHERE user_id IN (SELECT user_id FROM novafeed.erasing),
    UPDATE post_author_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[post_author_id]
        WHERE post_author_id IN (SELECT user_id FROM novafeed.erasing);

INSERT INTO novafeed.likes_cdc
    (user_id, post_id, post_author_id, post_created_at, created_at, incarnation, _version, _deleted)
WITH (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing) AS names
SELECT
    names[rows.user_id] AS user_id,
    rows.post_id,
    if(mapContains(names, rows.post_author_id), names[rows.post_author_id], rows.post_author_id) AS post_author_id,
    rows.post_created_at,
    rows.created_at,
    rows.incarnation,
    rows._version,
    rows._deleted
FROM novafeed.likes_cdc AS rows
WHERE rows.user_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.likes_cdc
    DELETE WHERE user_id IN (SELECT user_id FROM novafeed.erasing),
    UPDATE post_author_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[post_author_id]
        WHERE post_author_id IN (SELECT user_id FROM novafeed.erasing);

INSERT INTO novafeed.follows_cdc
    (follower_id, following_id, created_at, incarnation, _version, _deleted)
WITH (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing) AS names
SELECT
    if(mapContains(names, rows.follower_id), names[rows.follower_id], rows.follower_id) AS follower_id,
    if(mapContains(names, rows.following_id), names[rows.following_id], rows.following_id) AS following_id,
    rows.created_at,
    rows.incarnation,
    rows._version,
    rows._deleted
FROM novafeed.follows_cdc AS rows
WHERE rows.follower_id IN (SELECT user_id FROM novafeed.erasing)
        OR rows.following_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.follows_cdc
    DELETE WHERE follower_id IN (SELECT user_id FROM novafeed.erasing)
        OR following_id IN (SELECT user_id FROM novafeed.erasing);

-- Its view has put the others in already.
ALTER TABLE novafeed.follow_graph
    DELETE WHERE follower_id IN (SELECT user_id FROM novafeed.erasing)
        OR following_id IN (SELECT user_id FROM novafeed.erasing);

INSERT INTO novafeed.user_follows
    (user_id, followers, following, latest_followers, latest_following, _version)
WITH (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing) AS names
SELECT
    names[rows.user_id] AS user_id,
    rows.followers,
    rows.following,
    rows.latest_followers,
    rows.latest_following,
    rows._version
FROM novafeed.user_follows AS rows
WHERE rows.user_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.user_follows
    DELETE WHERE user_id IN (SELECT user_id FROM novafeed.erasing),
    UPDATE
        latest_followers = arrayMap(id -> if(mapContains(
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing), id),
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[id], id),
            latest_followers),
        latest_following = arrayMap(id -> if(mapContains(
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing), id),
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[id], id),
            latest_following)
        WHERE hasAny(latest_followers, (SELECT groupArray(user_id) FROM novafeed.erasing))
            OR hasAny(latest_following, (SELECT groupArray(user_id) FROM novafeed.erasing));

INSERT INTO novafeed.events_raw
    (created_at, user_id, post_id, type, event_id, post_author_id, post_created_at, identity)
WITH (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing) AS names
SELECT
    rows.created_at,
    names[rows.user_id] AS user_id,
    rows.post_id,
    rows.type,
    rows.event_id,
    if(mapContains(names, rows.post_author_id), names[rows.post_author_id], rows.post_author_id) AS post_author_id,
    rows.post_created_at,
    rows.identity
FROM novafeed.events_raw AS rows
WHERE rows.user_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.events_raw
    DELETE WHERE user_id IN (SELECT user_id FROM novafeed.erasing),
    UPDATE post_author_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[post_author_id]
        WHERE post_author_id IN (SELECT user_id FROM novafeed.erasing);

INSERT INTO novafeed.post_totals
    (author_id, created_at, post_id, is_known, is_deleted, likes_added, likes_removed, comments_added, comments_removed,
    shares_seen, impressions_seen, views_seen)
WITH (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing) AS names
SELECT
    names[rows.author_id] AS author_id,
    rows.created_at,
    rows.post_id,
    rows.is_known,
    rows.is_deleted,
    rows.likes_added,
    rows.likes_removed,
    rows.comments_added,
    rows.comments_removed,
    rows.shares_seen,
    rows.impressions_seen,
    rows.views_seen
FROM novafeed.post_totals AS rows
WHERE rows.author_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.post_totals
    DELETE WHERE author_id IN (SELECT user_id FROM novafeed.erasing);

-- Counted from the sets that have just come in, not copied: what an interrupted run left of them may have been counted
-- since, in a newer version. The version is above all that are there, and below that of the next refresh.
INSERT INTO novafeed.post_counters
    (author_id, created_at, post_id, is_live, is_deleted, likes, comments, shares, impressions, views, _version)
SELECT
    author_id,
    created_at,
    post_id,
    max(is_known) AND NOT max(totals.is_deleted) AS is_live,
    max(totals.is_deleted) AS is_deleted,
    toInt64(uniqExactMerge(likes_added)) - toInt64(uniqExactMerge(likes_removed)) AS likes,
    toInt64(uniqExactMerge(comments_added)) - toInt64(uniqExactMerge(comments_removed)) AS comments,
    toInt64(uniqExactMerge(shares_seen)) AS shares,
    toInt64(uniqExactMerge(impressions_seen)) AS impressions,
    toInt64(uniqExactMerge(views_seen)) AS views,
    (SELECT max(_version) + 1 FROM novafeed.post_counters) AS _version
FROM novafeed.post_totals AS totals
WHERE author_id IN (SELECT pseudonym FROM novafeed.erasing)
GROUP BY author_id, created_at, post_id;

ALTER TABLE novafeed.post_counters
    DELETE WHERE author_id IN (SELECT user_id FROM novafeed.erasing);

INSERT INTO novafeed.user_author_90d
    (user_id, author_id, day, given, taken_back)
WITH (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing) AS names
SELECT
    if(mapContains(names, rows.user_id), names[rows.user_id], rows.user_id) AS user_id,
    if(mapContains(names, rows.author_id), names[rows.author_id], rows.author_id) AS author_id,
    rows.day,
    rows.given,
    rows.taken_back
FROM novafeed.user_author_90d AS rows
WHERE rows.user_id IN (SELECT user_id FROM novafeed.erasing)
        OR rows.author_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.user_author_90d
    DELETE WHERE user_id IN (SELECT user_id FROM novafeed.erasing)
        OR author_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.post_metrics_1h
    UPDATE author_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[author_id]
        WHERE author_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.post_hour_counters
    UPDATE author_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[author_id]
        WHERE author_id IN (SELECT user_id FROM novafeed.erasing);

ALTER TABLE novafeed.hot_posts_1h
    UPDATE author_id =
            (SELECT mapFromArrays(groupArray(user_id), groupArray(pseudonym)) FROM novafeed.erasing)[author_id]
        WHERE author_id IN (SELECT user_id FROM novafeed.erasing);

-- A message that nobody understood, and that names them somewhere.
ALTER TABLE novafeed.ingest_errors
    DELETE WHERE arrayExists(
        id -> position(lower(raw), id) > 0 OR position(lower(raw), replaceAll(id, '-', '')) > 0,
        (SELECT groupArray(toString(user_id)) FROM novafeed.erasing));
