"""The commands about this machine: its models, its caches."""
