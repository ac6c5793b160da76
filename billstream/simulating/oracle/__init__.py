"""What the journal must have led to, worked out from the log alone: no code of the fold, of stores or of streams."""
