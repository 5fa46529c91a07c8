"""The exact distance by branch and bound over the signs of neurons (norm 2)."""
