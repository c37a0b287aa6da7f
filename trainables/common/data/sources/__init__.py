"""Sources of labelled images: Parquet files, image folders, the Hugging Face hub, the embedded digits."""
