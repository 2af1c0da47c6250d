-- In one block, so that no reader finds one stream without the other.
INSERT INTO novafeed.log_positions (stream, partition, generation, point, _version)
SELECT entry.1, entry.2, {generation:String}, entry.3, {version:UInt64}
FROM (SELECT arrayJoin({points:Array(Tuple(String, UInt16, Int64))}) AS entry)
