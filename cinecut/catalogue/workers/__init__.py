"""Who looks at the films of a catalogue: a process beside this one, or the workers of a cluster."""
