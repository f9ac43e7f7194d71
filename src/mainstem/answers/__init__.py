"""Questions to the history, answered: explain, the report and its hash, as of a moment, fewer layers."""
