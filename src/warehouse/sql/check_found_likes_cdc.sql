-- What the warehouse says of each like: the digest of the row (src/check/facts.cpp computes the same).
WITH at -> reinterpretAsFixedString(toUnixTimestamp64Milli(at)) AS milliseconds
SELECT
    user_id,
    post_id,
    [sipHash64(concat(
        UUIDToNum(post_author_id),
        milliseconds(post_created_at),
        milliseconds(created_at),
        reinterpretAsFixedString(incarnation)))] AS values
FROM novafeed.likes_cdc FINAL
WHERE _deleted = 0
