"""The paper's figures and table, run again: settings in, records out, resumable."""
