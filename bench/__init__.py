"""What cinecut is measured against, side by side in one run: `make bench`, or `python -m bench TABLE…`.

    film ─ cut list ─► the same trailer by cinecut, by a hand-written FFmpeg graph, by MoviePy, melt and GES ─► figures

`measure` runs and meters commands, `judge` says whether what they made is right, each table is one file.
"""
