"""The edits that a spec can get, each leaving every other byte as it is."""
