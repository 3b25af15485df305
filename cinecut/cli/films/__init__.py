"""The commands that look at films and songs."""
