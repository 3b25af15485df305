"""Whether a file sounds as its spec says."""
