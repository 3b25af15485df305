"""A new analysis merged with what a hand did to a spec."""
