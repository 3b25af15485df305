"""Proof of a trailer: what it is made of (lock), what an edit renders anew (why), whether a file is what its spec says
(verify), and a finished trailer read back into a spec (conform)."""
