"""The sound of films and songs, sample by sample."""
