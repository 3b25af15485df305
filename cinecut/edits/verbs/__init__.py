"""What can be done to a spec, each leaving every other byte as it is."""
