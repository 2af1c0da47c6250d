-- In one block, so that no reader finds one stream without the other.
INSERT INTO novafeed.log_positions (stream, generation, point, _version)
SELECT entry.1, {generation:String}, entry.2, {version:UInt64}
FROM (SELECT arrayJoin(arrayZip({streams:Array(String)}, {points:Array(Int64)})) AS entry)
