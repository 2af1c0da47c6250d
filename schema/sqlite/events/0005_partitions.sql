-- Events of several partitions, each with its own sequences. The key is both in one number, so that the rows of all that
-- was there before stay where they are, and new ones are appended at the end of their partition: 48 bits of sequence,
-- and the partition above them.
ALTER TABLE events RENAME COLUMN sequence TO place;
ALTER TABLE events ADD COLUMN partition INTEGER GENERATED ALWAYS AS (place >> 48) VIRTUAL;
ALTER TABLE events ADD COLUMN sequence INTEGER GENERATED ALWAYS AS (place & 0xffffffffffff) VIRTUAL;

-- How far each partition goes.
CREATE TABLE event_partitions (
  partition INTEGER PRIMARY KEY,
  forgotten_through INTEGER NOT NULL,  -- retention has removed what is up to here
  copied_through INTEGER               -- in a journal: the topic was copied up to here
) STRICT;
INSERT INTO event_partitions SELECT 0, forgotten_through, NULL FROM event_log;
ALTER TABLE event_log DROP COLUMN forgotten_through;
