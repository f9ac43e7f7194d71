"""The process itself: its threads, its memory, and what its libraries print."""
