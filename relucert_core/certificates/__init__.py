"""Lower bounds on the distance to the nearest adversarial point, one method a module."""
