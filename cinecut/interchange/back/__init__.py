"""The way back: a file of an editing program → changes of the spec, or a new spec."""
