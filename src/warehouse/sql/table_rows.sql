-- How many rows the warehouse holds, by table; those that a merge will replace are among them.
SELECT table, toUInt64(sum(rows)) AS table_rows
FROM system.parts
WHERE database = 'novafeed' AND active
GROUP BY table
HAVING table_rows > 0
ORDER BY table
