"""Rendering by segments: new ones are rendered in parallel, stored, and joined."""
