"""From a measured pair to a fit: the line, its errors and its flags."""
