"""Before a run: the configuration, the tree on disk, which image meets which reference, what it will cost. No numpy."""
