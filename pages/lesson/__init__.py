"""Lesson: Algorithm 1 and Theorems 1 to 4, step by step."""
