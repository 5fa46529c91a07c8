"""The semidefinite certificate (norm 2): the distance to the decision boundary by a relaxation of its exact problem.

`bounds` bounds the neurons (those of deep layers, and the margins, by `functionals`, `moments` and `ranges`), `forms`
writes the problem of one rival down exactly, `cuts` adds valid products, `branches` splits it at a neuron, `solver`
proposes multipliers, `proof` decides what they prove, `radius` looks for the largest radius that is proved.
"""
