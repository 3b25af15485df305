"""Rendering by segments: what is new is rendered side by side, kept, and joined."""
