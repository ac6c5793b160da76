"""The language of Billstream: records, money, periods and ids, with their Avro form; it depends on no other room."""

import zoneinfo

# Days and weeks of a bill follow the rules of time zones. They come with our locked packages (tzdata) and not from the
# machine, or two workers with systems of different age would make different drafts of one journal.
zoneinfo.reset_tzpath(())
