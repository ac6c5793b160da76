"""The state machine of a book: applies journal records to rows and says what follows."""
