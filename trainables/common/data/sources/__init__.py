"""Where labelled images come from: Parquet files, image folders, the Hugging Face hub, the embedded digits."""
