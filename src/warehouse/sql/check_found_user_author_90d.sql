-- Who interacted with whom by the day, of their sets.
SELECT
    user_id,
    author_id,
    day,
    [uniqExactMerge(given) - uniqExactMerge(taken_back)]::Array(UInt64) AS values
FROM novafeed.user_author_90d
WHERE day >= toDate(fromUnixTimestamp64Milli({days_from:Int64}, 'UTC'))
GROUP BY user_id, author_id, day
