-- What the warehouse says of each user: the digest of the row (src/check/facts.cpp computes the same).
WITH
    text -> concat(reinterpretAsFixedString(toInt64(length(text))), text) AS sized,
    at -> reinterpretAsFixedString(toUnixTimestamp64Milli(at)) AS milliseconds
SELECT
    id,
    [sipHash64(concat(
        if(isNull(external_id), char(0), concat(char(1), sized(assumeNotNull(external_id)))),
        sized(handle),
        sized(name),
        milliseconds(created_at)))] AS values
FROM novafeed.users_cdc FINAL
WHERE _deleted = 0
