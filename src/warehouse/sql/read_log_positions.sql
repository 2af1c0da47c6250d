SELECT stream, generation, point
FROM novafeed.log_positions FINAL
