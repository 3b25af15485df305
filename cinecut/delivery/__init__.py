"""Whether a finished file is what a kit asks for: it is measured, as those measure who receive it."""
