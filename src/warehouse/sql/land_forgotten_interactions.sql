-- The interactions of a day that the event log counted and then forgot, as sets: as many tokens as there were, always
-- the same ones.
INSERT INTO novafeed.user_author_90d (user_id, author_id, day, given)
SELECT
    counted.1 AS user_id,
    counted.2 AS author_id,
    toDate(counted.3) AS day,
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('forgotten', counted.1, counted.2, counted.3, i), range(counted.4)))
FROM (SELECT arrayJoin({rows:Array(Tuple(UUID, UUID, UInt16, UInt64))}) AS counted)
