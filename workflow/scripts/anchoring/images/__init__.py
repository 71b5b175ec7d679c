"""Images as arrays and headers: where their pixels are, in which unit, observed or not, convolved, reprojected."""
