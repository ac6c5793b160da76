"""Two stores behind one port: memory for previews and tests, SQLite for workers."""
