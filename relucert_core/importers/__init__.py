"""Readers and writers of networks; each imports its heavy packages only when called."""
