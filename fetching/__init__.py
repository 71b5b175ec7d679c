"""Downloads of mosaics and archive images, when asked for: `python -m fetching`. The workflow downloads nothing."""
