-- A user's follows, as refreshed: their numbers, and the latest of both as sums of digests.
SELECT
    user_id,
    [toUInt64(followers), toUInt64(following),
        arraySum(id -> sipHash64(id), latest_followers), arraySum(id -> sipHash64(id), latest_following)] AS values
FROM novafeed.user_follows FINAL
WHERE followers != 0 OR following != 0
