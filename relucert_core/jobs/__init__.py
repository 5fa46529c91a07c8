"""Runs over many images: blocks of work, executors that carry them out, the file of lines that they fill."""
