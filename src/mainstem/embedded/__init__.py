"""The home of an embedded mainstem."""
