"""The sound of the cut: voices over it, the song cut to it, effects, ducks and silences."""
