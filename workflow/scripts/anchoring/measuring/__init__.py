"""From two images on one grid to the measured pair: bins, samples, noise, and what figures show of it."""
