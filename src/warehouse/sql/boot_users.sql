-- Users, for the index: those with an id in (after, up_to], and `after` itself in the first range.
SELECT id
FROM novafeed.users_cdc FINAL
WHERE (id > {after:UUID} OR ({is_first:UInt8} AND id = {after:UUID})) AND id <= {up_to:UUID}
