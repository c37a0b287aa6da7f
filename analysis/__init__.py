"""Make tables, figures and reports from a sweep's results. Reads only Parquet, and imports nothing of sweeper."""
