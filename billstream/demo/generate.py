"""Writes the sample firm's exports: the same files for the same seed, with the mess that real exports have.

Run `python -m billstream.demo.generate` after a change of people or texts; the files are committed.
"""

from pathlib import Path

from billstream.demo.care import care_lines
from billstream.demo.exports import clockify_csv, expense_lines, harvest_csv, toggl_csv
from billstream.demo.mess import consulting_rows, first_export, legal_rows, second_export

EXPORTS = Path(__file__).parent / "firm" / "exports"


def files() -> dict[str, str]:
    """Name and content of every export."""
    return {
        "toggl-2026-10-30.csv": toggl_csv(first_export()),
        "toggl-2026-11-02.csv": toggl_csv(second_export()),
        "harvest-2026-11-02.csv": harvest_csv(legal_rows()),
        "clockify-2026-11-02.csv": clockify_csv(consulting_rows()),
        "expenses-2026-10.jsonl": expense_lines(),
        "care-2026-10.jsonl": care_lines(),
    }


def write(folder: Path) -> None:
    """Write all exports into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_bytes(text.encode())


if __name__ == "__main__":
    write(EXPORTS)
