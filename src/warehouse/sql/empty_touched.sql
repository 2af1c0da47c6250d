-- After the refreshes, while nobody lands anything.
TRUNCATE TABLE novafeed.touched_posts;
TRUNCATE TABLE novafeed.touched_hours;
TRUNCATE TABLE novafeed.touched_users;
