"""Files: reading what users bring, the images between two steps, the anchored image; writing without halves."""
