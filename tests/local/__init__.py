"""Local mode and sources: a stand-in for ig that really runs, pipes that are really read."""
