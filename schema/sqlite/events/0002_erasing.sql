-- Of an event whose user or post's author was erased since: what the identity was, which its columns no longer give.
ALTER TABLE events ADD COLUMN identity BLOB;
