"""Proof of a trailer: what it was made of (lock), what an edit renders again (why), whether a file matches its spec
(verify), and reading a finished trailer back into a spec (conform)."""
