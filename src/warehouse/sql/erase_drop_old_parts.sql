-- There is no such partition. Dropping it removes the table's old parts from the disk at once; else they wait a while.
ALTER TABLE novafeed.{table:Identifier} DROP PARTITION ID '10000101'
