"""What comes back: files of editing programs → the cut that they hold."""
