"""Training: the loop, its regularisers, and the named recipes that make the shipped networks."""
