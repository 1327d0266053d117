"""A study: which auto-colorization architecture is best for a set of images, and how sure that is."""
