"""The process itself: its threads, its memory, and the output of its libraries."""
