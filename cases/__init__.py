"""Real images, small, that anyone can anchor: `python -m cases`."""
