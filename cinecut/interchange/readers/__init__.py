"""Files of editing programs → the cut in them."""
