-- What stands in the touched_* tables, by part.
SELECT table, name, max_block_number
FROM system.parts
WHERE database = 'novafeed' AND table IN ('touched_posts', 'touched_hours', 'touched_users') AND active AND rows > 0
ORDER BY table, name
