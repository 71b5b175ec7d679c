"""Files: readers of the inputs, intermediate images, the anchored image, atomic writing."""
