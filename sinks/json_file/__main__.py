"""Prints the published JSON Schema: `python -m sinks.json_file > sinks/json_file/document-1.schema.json`."""

import sys

from sinks.json_file.document import schema_text

if __name__ == "__main__":
    sys.stdout.write(schema_text())
