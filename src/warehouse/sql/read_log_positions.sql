SELECT stream, partition, generation, point
FROM novafeed.log_positions FINAL
