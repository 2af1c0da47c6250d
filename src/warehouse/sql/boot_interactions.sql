-- Who interacted with whom, by day, for the index. Ranges of users as in boot_users.
SELECT user_id, author_id, toUInt16(day) AS day_number, interaction_count
FROM novafeed.user_author_90d FINAL
WHERE (user_id > {after:UUID} OR ({is_first:UInt8} AND user_id = {after:UUID})) AND user_id <= {up_to:UUID}
  AND day >= toDate({oldest_day:UInt16}) AND interaction_count != 0
