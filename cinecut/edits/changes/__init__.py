"""What differs between two cuts, in the words of a trailer."""
