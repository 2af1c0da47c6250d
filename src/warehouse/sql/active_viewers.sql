-- The users who did most in the day before an instant, for whom pages are made ready. Ties by id; an event that landed
-- twice counts twice until its parts merge, which matters little here.
-- as_of: milliseconds since 1970; limit: at most so many.
SELECT user_id
FROM novafeed.events_raw
WHERE created_at > fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') - INTERVAL 1 DAY
    AND created_at <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')
GROUP BY user_id
ORDER BY count() DESC, UUIDToNum(user_id)
LIMIT {limit:UInt32}
