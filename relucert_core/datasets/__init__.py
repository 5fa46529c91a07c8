"""Points to learn from: MNIST, pictures of digits, seeded toy sets. Nothing here imports torch."""
