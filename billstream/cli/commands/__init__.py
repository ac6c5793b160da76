"""One module per family of commands; signatures stay light, bodies import the rooms they need."""
