"""What leaves the workflow: the provenance of a run, and a release under the names of an archive."""
