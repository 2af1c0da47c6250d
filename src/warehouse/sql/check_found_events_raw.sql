-- The events that the warehouse holds, of the time in which it holds all (src/check/facts.cpp computes the same digest).
SELECT
    user_id,
    post_id,
    event_id,
    created_at,
    type,
    [sipHash64(concat(
        UUIDToNum(post_author_id),
        reinterpretAsFixedString(toUnixTimestamp64Milli(post_created_at)),
        reinterpretAsFixedString(identity)))] AS values
FROM novafeed.events_raw FINAL
WHERE created_at >= fromUnixTimestamp64Milli({events_from:Int64}, 'UTC')
