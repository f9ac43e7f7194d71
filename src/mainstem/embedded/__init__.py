"""An embedded mainstem: its home, its checkpoint, what it holds open, and how samples arrive."""
