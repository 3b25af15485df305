"""Checking finished files against the kit that asked for them, by measuring them as the recipient does."""
