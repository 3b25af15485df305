"""One writer per target: EditSequence → the files that the target opens."""
