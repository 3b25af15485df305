"""The workers that analyse a catalogue's films: a process of this machine, or a cluster's."""
