"""The commands that read or write specs."""
