"""Downloads of archive images for references, when asked for: `python -m fetching`. The workflow downloads nothing."""
