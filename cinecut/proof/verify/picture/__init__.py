"""Whether a file shows what its spec says."""
