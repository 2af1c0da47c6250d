-- How many there are, from other tables than those that the index boots from where there is one.
SELECT 'users' AS what, toInt64(count()) AS number FROM novafeed.users_cdc FINAL
UNION ALL
SELECT 'live posts', toInt64(countIf(is_live)) FROM novafeed.post_counters FINAL
UNION ALL
SELECT 'follows', toInt64(count()) FROM novafeed.follow_graph FINAL
