"""The way back: a file of an editing program → a change of the spec, or the beginning of one."""
