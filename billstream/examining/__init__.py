"""`billstream doctor`: looks at everything a project needs, changes nothing, and says how to mend what is wrong."""
