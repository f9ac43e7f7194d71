"""An embedded mainstem: its home and checkpoint, what it opens, and how its samples get in."""
