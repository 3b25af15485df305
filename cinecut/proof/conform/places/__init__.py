"""Where in films the pictures of a trailer come from: pictures as vectors, the place of each piece, and its framing."""
