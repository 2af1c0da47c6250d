-- What the warehouse says of each post: the digest of the row (src/check/facts.cpp computes the same).
WITH
    text -> concat(reinterpretAsFixedString(toInt64(length(text))), text) AS sized,
    at -> reinterpretAsFixedString(toUnixTimestamp64Milli(at)) AS milliseconds
SELECT
    id,
    [sipHash64(concat(
        if(isNull(external_id), char(0), concat(char(1), sized(assumeNotNull(external_id)))),
        UUIDToNum(user_id),
        sized(posts.text),
        milliseconds(created_at),
        if(isNull(deleted_at), char(0), concat(char(1), milliseconds(assumeNotNull(deleted_at))))))] AS values
FROM novafeed.posts_cdc AS posts FINAL
WHERE _deleted = 0
