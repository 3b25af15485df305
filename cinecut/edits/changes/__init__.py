"""The differences between two cuts, in words."""
