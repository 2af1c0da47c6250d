-- With whom a viewer has interacted on the day of the instant or one of the 89 before it, and how often. An erased or
-- unknown viewer interacts with nobody.
-- viewer: whose feed; as_of: milliseconds since 1970.
WITH
    toDate32(fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')) AS today,
    toDate(greatest(today - 89, toDate32('1970-01-01'))) AS first_day,
    toDate(least(today, toDate32('2149-06-06'))) AS last_day
SELECT author_id, toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS interaction_count
FROM novafeed.user_author_90d
WHERE user_id = {viewer:UUID} AND day BETWEEN first_day AND last_day
    AND user_id IN (SELECT id FROM novafeed.users_cdc FINAL WHERE id = {viewer:UUID})
GROUP BY author_id
HAVING interaction_count >= 1
