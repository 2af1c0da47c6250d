-- What broke while it landed from a topic, each place once, behind those that were given before: `given` has for each
-- "topic/partition" the offset behind the last one.
SELECT
    toString(topic) AS message_topic,
    assumeNotNull(partition) AS message_partition,
    assumeNotNull(offset) AS message_offset,
    any(reason) AS first_reason,
    any(substring(raw, 1, {most_bytes:UInt64})) AS beginning,
    any(length(raw)) AS bytes,
    toInt64(toUnixTimestamp(min(landed_at))) AS found_at
FROM novafeed.ingest_errors
WHERE isNotNull(partition) AND isNotNull(offset) AND landed_at >= {since:DateTime}
    AND offset >= {given:Map(String, UInt64)}[concat(topic, '/', toString(partition))]
GROUP BY message_topic, message_partition, message_offset
ORDER BY message_topic, message_partition, message_offset
LIMIT {limit:UInt64}
