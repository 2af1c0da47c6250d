-- A scalar subquery is Nullable; here none is null.
SELECT
    assumeNotNull((SELECT count() FROM novafeed.touched_posts)) AS posts,
    assumeNotNull((SELECT count() FROM novafeed.touched_hours)) AS hours,
    assumeNotNull((SELECT uniqExact(user_id) FROM novafeed.touched_users)) AS users
