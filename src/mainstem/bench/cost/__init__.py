"""What selection saves, and what it costs: quality against cost of ways to choose samples."""
