-- The latest time that an event which retention has removed is dated: whatever is dated later is still there. Of what was
-- removed before this was kept nothing is known but that it is past.
ALTER TABLE event_log ADD COLUMN forgotten_latest INTEGER NOT NULL DEFAULT 0;
UPDATE event_log SET forgotten_latest = unixepoch() * 1000 WHERE forgotten_through > 0;
