"""The rules: pure functions from facts to allocations, charges, lines and findings."""
