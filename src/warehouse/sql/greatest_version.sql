-- Of the rows that the sink versions itself; its next one is above. A scalar subquery is Nullable; here none is null.
SELECT assumeNotNull(greatest(
    (SELECT max(_version) FROM novafeed.log_positions),
    (SELECT max(_version) FROM novafeed.post_counters),
    (SELECT max(_version) FROM novafeed.post_hour_counters),
    (SELECT max(_version) FROM novafeed.user_follows)))
