-- What the warehouse says of each comment: the digest of the row (src/check/facts.cpp computes the same).
WITH
    text -> concat(reinterpretAsFixedString(toInt64(length(text))), text) AS sized,
    at -> reinterpretAsFixedString(toUnixTimestamp64Milli(at)) AS milliseconds
SELECT
    id,
    [sipHash64(concat(
        if(isNull(external_id), char(0), concat(char(1), sized(assumeNotNull(external_id)))),
        UUIDToNum(post_id),
        UUIDToNum(user_id),
        UUIDToNum(post_author_id),
        milliseconds(post_created_at),
        sized(comments.text),
        milliseconds(created_at),
        reinterpretAsFixedString(incarnation)))] AS values
FROM novafeed.comments_cdc AS comments FINAL
WHERE _deleted = 0
