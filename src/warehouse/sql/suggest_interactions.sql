-- The interactions of neighbours with the suggested users within the 90 days. An interaction is one user's, so the
-- sets of these neighbours are one. Days are compared as Date, which they are in the key: as Date32 each mark of the index
-- would be converted first, which took longer than the rest.
-- neighbours; users: those suggested; as_of: milliseconds since 1970.
WITH
    toDate32(fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')) AS today,
    toDate(greatest(today - 89, toDate32('1970-01-01'))) AS first_day,
    toDate(least(today, toDate32('2149-06-06'))) AS last_day
SELECT author_id, toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS interaction_count
FROM novafeed.user_author_90d
WHERE user_id IN {neighbours:Array(UUID)} AND author_id IN {users:Array(UUID)} AND day BETWEEN first_day AND last_day
GROUP BY author_id
