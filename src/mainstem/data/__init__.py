"""Data that ships with the package; README.md says whose it is."""
