"""Playground: a small network, its polyhedra and a point to drag."""
