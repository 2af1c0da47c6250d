-- Names those who are to be hidden, for erase_hide.
TRUNCATE TABLE novafeed.erasing;
INSERT INTO novafeed.erasing (user_id, pseudonym)
SELECT entry.1, entry.2
FROM (SELECT arrayJoin(arrayZip({users:Array(UUID)}, {pseudonyms:Array(UUID)})) AS entry);
