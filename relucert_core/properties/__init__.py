"""VNN-LIB: the field's format for properties of networks, read in both versions, answered, and written."""
