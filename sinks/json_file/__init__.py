"""Documents as JSON files with a published, versioned schema."""

from sinks.json_file.document import SCHEMA_ID, DocumentFile, document_schema, schema_text
from sinks.json_file.settings import JsonFileSettings
from sinks.json_file.sink import JsonFileSink

__all__ = ["SCHEMA_ID", "DocumentFile", "JsonFileSettings", "JsonFileSink", "document_schema", "schema_text"]
