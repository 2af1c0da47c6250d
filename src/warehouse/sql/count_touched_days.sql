SELECT toString(toDate(metric_hour)) AS day, count() AS hours
FROM novafeed.touched_hours
GROUP BY day
ORDER BY day
