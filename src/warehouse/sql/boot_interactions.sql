-- Who interacted with whom, by day, for the index. Ranges of users as in boot_users.
SELECT
    user_id,
    author_id,
    toUInt16(day) AS day_number,
    toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS interactions
FROM novafeed.user_author_90d
WHERE (user_id > {after:UUID} OR ({is_first:UInt8} AND user_id = {after:UUID})) AND user_id <= {up_to:UUID}
  AND day >= toDate({oldest_day:UInt16})
GROUP BY user_id, author_id, day
HAVING interactions != 0
