-- Those that were neither given up nor left alone for too long, by the engine's clock.
SELECT holder, max(state = 'held') AS is_held
FROM novafeed.landing_holds
GROUP BY holder
HAVING max(until) > now64(3, 'UTC') AND max(state = 'released') = 0
ORDER BY holder
