"""`billstream init`: from a folder, with or without exports in it, to a project whose files load without an error."""
