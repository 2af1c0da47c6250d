-- A scalar subquery is Nullable; here neither is null.
SELECT
    assumeNotNull((SELECT count() FROM novafeed.touched_posts)) AS posts,
    assumeNotNull((SELECT count() FROM novafeed.touched_hours)) AS hours
