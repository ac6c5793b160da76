"""The agents, each in the module of its name; `install` puts them into an app, nothing is discovered."""
