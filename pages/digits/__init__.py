"""Digits: one digit, certified and attacked with every method."""
