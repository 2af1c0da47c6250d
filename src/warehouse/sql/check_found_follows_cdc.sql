-- What the warehouse says of each follow: the digest of the row (src/check/facts.cpp computes the same).
SELECT
    follower_id,
    following_id,
    [sipHash64(concat(
        reinterpretAsFixedString(toUnixTimestamp64Milli(created_at)),
        reinterpretAsFixedString(incarnation)))] AS values
FROM novafeed.follows_cdc FINAL
WHERE _deleted = 0
