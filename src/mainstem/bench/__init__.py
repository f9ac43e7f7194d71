"""Every bench; planted errors; homes held against a truth."""
