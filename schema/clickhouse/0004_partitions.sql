-- The events come in partitions: how far each of them is applied.
ALTER TABLE novafeed.log_positions
    ADD COLUMN IF NOT EXISTS partition UInt16 AFTER stream,
    MODIFY ORDER BY (stream, partition);
