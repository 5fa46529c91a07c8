"""Experiments: the paper's figures and table, run again."""
