"""Back ends: readers of the typed tree that decide faster than the reference, with the same meaning."""
