-- What the event log counted as interactions and then forgot, as sets: as many tokens as there were shares, always the
-- same ones.
INSERT INTO novafeed.user_author_90d (user_id, author_id, day, given)
SELECT
    counts.1 AS user_id,
    counts.2 AS author_id,
    toDate(toUInt16(counts.3)) AS day,
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('forgotten', 'share', counts.1, counts.2, counts.3, i), range(counts.4)))
FROM (SELECT arrayJoin({rows:Array(Tuple(UUID, UUID, Int64, UInt64))}) AS counts)
