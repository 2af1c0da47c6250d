-- What follow_graph has to say, from follows_cdc.
SELECT
    following_id,
    follower_id,
    [sipHash64(concat(
        reinterpretAsFixedString(toUnixTimestamp64Milli(created_at)),
        reinterpretAsFixedString(_version)))] AS values
FROM novafeed.follows_cdc FINAL
WHERE _deleted = 0
