"""Questions to the history, answered: explain, report, the hash."""
