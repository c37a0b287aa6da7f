"""From result tables to the paper's tables. Reads Parquet alone: nothing of the orchestrator is imported."""
