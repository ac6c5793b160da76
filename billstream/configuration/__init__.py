"""Reading a user's YAML files: safe, whole, with a file and line for everything wrong (operations section 4)."""
