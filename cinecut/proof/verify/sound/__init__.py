"""Whether a file lets hear what its spec names."""
