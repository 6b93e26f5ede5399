"""What takes minutes on a real cluster; ``make test-long`` runs it."""
