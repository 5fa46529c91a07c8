"""Records in, plotly figures out. Nothing is computed here but places on the paper."""
