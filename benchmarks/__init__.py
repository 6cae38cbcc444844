"""Measures this engine against hand-written Python and against other engines, side by side in one process."""
