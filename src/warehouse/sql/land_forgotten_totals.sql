-- What the event log counted and then forgot, as sets: as many tokens as there were events, always the same ones.
INSERT INTO novafeed.post_totals (author_id, created_at, post_id, shares_seen, impressions_seen, views_seen)
SELECT
    totals.2 AS author_id,
    fromUnixTimestamp64Milli(totals.3, 'UTC') AS created_at,
    totals.1 AS post_id,
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('forgotten', 'share', totals.1, i), range(totals.4))),
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('forgotten', 'impression', totals.1, i), range(totals.5))),
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('forgotten', 'view', totals.1, i), range(totals.6)))
FROM (SELECT arrayJoin({rows:Array(Tuple(UUID, UUID, Int64, UInt64, UInt64, UInt64))}) AS totals)
