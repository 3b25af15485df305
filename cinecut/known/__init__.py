"""What an analysis learnt of a film and its song, kept beside the spec, and what of a spec breaks it."""
