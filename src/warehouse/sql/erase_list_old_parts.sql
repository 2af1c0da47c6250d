-- Tables with files of rows that were replaced or removed and still lie on the disk.
SELECT DISTINCT table
FROM system.parts
WHERE database = 'novafeed' AND NOT active AND rows > 0
