-- The interactions of the neighbours with the suggested users within the 90 days. An interaction is one user's, so the
-- sets of all neighbours are one.
-- neighbours; users: those suggested; as_of: milliseconds since 1970.
WITH toDate32(fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')) AS today
SELECT author_id, toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS interaction_count
FROM novafeed.user_author_90d
WHERE user_id IN {neighbours:Array(UUID)} AND author_id IN {users:Array(UUID)} AND day > today - 90 AND day <= today
GROUP BY author_id
