"""From fits to offsets, and the record of an image."""
