-- Keys that cut a table into ranges of at most so many rows for each of its parts.
SELECT DISTINCT {key:Identifier} AS bound
FROM novafeed.{table:Identifier}
WHERE _part_offset % {rows:UInt64} = {rows:UInt64} - 1
ORDER BY bound
