"""What takes minutes: outages at full length; ``make test-long`` runs it."""
