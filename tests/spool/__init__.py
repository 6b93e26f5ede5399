"""The spool: what it keeps, for whom, and that its accounts balance."""
