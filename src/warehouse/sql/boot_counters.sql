-- Counters of posts over all time, for the index. Ranges of authors as in boot_users.
SELECT post_id, likes, comments, shares, impressions, views
FROM novafeed.post_counters FINAL
WHERE (author_id > {after:UUID} OR ({is_first:UInt8} AND author_id = {after:UUID})) AND author_id <= {up_to:UUID}
  AND (likes != 0 OR comments != 0 OR shares != 0 OR impressions != 0 OR views != 0)
