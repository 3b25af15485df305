"""A target each: Sequence → the files that it opens."""
