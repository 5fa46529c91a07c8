"""What the certificates that bound the logits over a whole ball share: relaxations, backward pass, bisection."""
