"""Answers from the history: explain, the report and its hash, as of a moment, fewer layers."""
