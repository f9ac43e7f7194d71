"""Benches, planted label errors, and the comparison of a home with a known truth."""
