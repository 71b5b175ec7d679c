"""Images as arrays and headers: WCS, units, observed pixels, convolution, reprojection."""
