"""The front door: command line, settings and wiring; the only place that knows every room."""
