"""Thresholds of the solvers and of the geometry, each with its reason. None of them can raise a certified radius."""

# A point counts as inside a half-space when it lies at most this share of the scale of the problem (its distance from
# the centre) outside: interior-point solvers in float64 reach about 1e-8.
SOLVER_FEASIBILITY = 1e-7

# Rows that a round of constraint generation starts with and adds: enough to need few rounds, few enough that each
# program stays small.
FIRST_ROWS = 40
ADDED_ROWS = 60
