-- Who follows somebody: the digest of each row and its version.
SELECT
    following_id,
    follower_id,
    [sipHash64(concat(
        reinterpretAsFixedString(toUnixTimestamp64Milli(created_at)),
        reinterpretAsFixedString(_version)))] AS values
FROM novafeed.follow_graph FINAL
WHERE _deleted = 0
