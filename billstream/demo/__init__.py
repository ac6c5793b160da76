"""The demo: a sample firm with a month of tracked time, and the run from its exports to draft invoices."""
