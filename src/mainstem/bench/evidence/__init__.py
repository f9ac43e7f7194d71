"""`mainstem bench evidence`: which evidence finds wrong labels, on streams whose truth is known."""
