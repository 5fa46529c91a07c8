"""Many visitors at once, by real websocket clients: `python -m tests.load`."""
