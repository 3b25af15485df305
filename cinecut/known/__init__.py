"""What an analysis knows of a film and its song, and the checks of edited specs against it."""
