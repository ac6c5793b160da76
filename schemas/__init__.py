"""The language of Billstream: records, money, periods and ids, with their Avro form; it depends on no other room."""
