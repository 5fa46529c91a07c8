"""Start: what a certificate is, in one picture."""
