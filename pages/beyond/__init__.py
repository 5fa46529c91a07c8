"""Beyond: the exact search, and slices through the space of digits."""
