"""A real cluster on this machine, and the tests that need one; see README.md here."""
