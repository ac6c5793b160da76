"""Exports that lie in a folder: which tool wrote them, and who and what they name. Nothing is guessed from texts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from difflib import SequenceMatcher
from pathlib import Path

from connectors.base import Stamp
from connectors.tables import ImportOptions, Preview, preview_file, read_file
from schemas.directory import reference_key
from schemas.entry import EntryVersion
from schemas.errors import BillstreamError

FILES_MAX = 200
DEPTH_MAX = 2
FILE_BYTES_MAX = 50 * 1024 * 1024
NAMES_MAX = 500
ALIKE_RATIO = 0.88
ID_CHARACTERS = 40
TITLE_CHARACTERS = 2
LEGAL_FORMS = frozenset("ag bv co corp eg ev gmbh inc kg llc llp lp ltd nv plc sa sarl sas se spa srl ug".split())
SOURCE_KINDS = {"toggl": "toggl-csv", "harvest": "harvest-csv", "clockify": "clockify-csv"}
_STAMP = Stamp(tenant="local", book="main", observed_at=datetime(1970, 1, 1, tzinfo=UTC), producer="billstream-cli")


@dataclass(frozen=True)
class FoundExport:
    """A file of a tool we know, with entries of `[date_from, date_to)`; `problem` says why it cannot be read yet."""

    path: Path
    tool: str
    rows: int
    date_from: date | None
    date_to: date | None
    problem: str = ""


@dataclass
class Named:
    """A client or person as exports name it: spellings and e-mail addresses, the most frequent name first."""

    id: str
    name: str
    emails: list[str] = field(default_factory=list)
    spellings: list[str] = field(default_factory=list)
    alike: list[str] = field(default_factory=list)
    projects: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What the exports of a folder say."""

    exports: tuple[FoundExport, ...]
    people: tuple[Named, ...]
    clients: tuple[Named, ...]
    currencies: tuple[str, ...]

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools that wrote them, in a stable order."""
        return tuple(sorted({one.tool for one in self.exports}))

    @property
    def last_month(self) -> str:
        """The month in which the newest entry is, such as `2026-10`; empty without entries."""
        ends = [one.date_to for one in self.exports if one.date_to]
        return f"{max(ends) - timedelta(days=1):%Y-%m}" if ends else ""


def find_exports(folder: Path, zone: str) -> Found:
    """Look at every CSV file of a folder, two folders deep; what is no export of a tool we know is left out."""
    exports: list[FoundExport] = []
    people: Counter[str] = Counter()
    clients: Counter[str] = Counter()
    projects: Counter[tuple[str, str]] = Counter()
    currencies: Counter[str] = Counter()
    for path in _candidates(folder):
        preview = _preview(path, zone)
        if preview is None:
            continue
        exports.append(_export(path, preview))
        currencies.update(preview.currencies)
        if not preview.ready:
            continue
        for row in read_file(preview, _STAMP):
            if isinstance(row, EntryVersion):
                people[row.person_ref] += 1
                clients[row.client_ref] += 1
                projects[row.client_ref, row.project_ref] += 1
    named_clients = _clients(clients, projects)
    return Found(tuple(exports), _people(people), named_clients, tuple(name for name, _ in currencies.most_common()))


def _candidates(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    files = (
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() == ".csv"
        and len(path.relative_to(folder).parts) <= DEPTH_MAX + 1
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
        and path.stat().st_size <= FILE_BYTES_MAX
    )
    for number, path in enumerate(files):
        if number >= FILES_MAX:
            return
        yield path


def _preview(path: Path, zone: str) -> Preview | None:
    """What is understood of a file; None for one that none of our tools wrote, or that cannot be read at all."""
    try:
        preview = preview_file(path, ImportOptions(zone=zone))
    except (BillstreamError, OSError):
        return None
    return preview if preview.layout.name in SOURCE_KINDS else None


def _export(path: Path, preview: Preview) -> FoundExport:
    problem = "" if preview.ready else "; ".join(one.sentence for one in preview.questions)
    return FoundExport(
        path=path,
        tool=preview.layout.name,
        rows=preview.counts.rows,
        date_from=preview.date_from,
        date_to=preview.date_to,
        problem=problem,
    )


def _clients(rows: Mapping[str, int], projects: Mapping[tuple[str, str], int]) -> tuple[Named, ...]:
    """Clients by rows; a rarer name that looks like a more frequent one is set aside for a person to judge."""
    found: list[Named] = []
    taken: set[str] = set()
    for name, _ in sorted(rows.items(), key=lambda item: (-item[1], item[0])):
        if not name.strip() or len(found) >= NAMES_MAX:
            continue
        twin = next((one for one in found if _is_alike(one.name, name)), None)
        if twin is not None:
            twin.alike.append(name)
            continue
        client = Named(identifier(name, taken), name)
        found.append(client)
    by_name = {one.name: one for one in found}
    project_ids: set[str] = set()
    for client_name, project in sorted(projects):
        owner = by_name.get(client_name)
        if owner is None or not project.strip() or len(owner.projects) >= NAMES_MAX:
            continue
        if _folded(project) not in {_folded(one) for one in owner.projects.values()}:
            owner.projects[identifier(project, project_ids)] = project
    return tuple(found)


def _people(rows: Mapping[str, int]) -> tuple[Named, ...]:
    """People by name; an e-mail address belongs to the name that its first part spells."""
    names = sorted((name for name in rows if name.strip() and "@" not in name), key=lambda name: (-rows[name], name))
    taken: set[str] = set()
    by_key: dict[str, Named] = {}
    for name in names[:NAMES_MAX]:
        known = by_key.get(_folded(name))
        if known is None:
            by_key[_folded(name)] = Named(identifier(name, taken), name)
        elif reference_key(name) not in {reference_key(one) for one in (known.name, *known.spellings)}:
            known.spellings.append(name)
    for address in sorted(name for name in rows if "@" in name)[:NAMES_MAX]:
        spelt = " ".join(re.split(r"[._+-]+", address.split("@")[0])).title().strip() or address
        if _folded(spelt) not in by_key:
            by_key[_folded(spelt)] = Named(identifier(spelt, taken), spelt)
        owner = by_key[_folded(spelt)]
        if reference_key(address) not in {reference_key(one) for one in owner.emails}:
            owner.emails.append(address)
    found = by_key.values()
    return tuple(sorted(found, key=lambda one: one.id))


def _folded(name: str) -> str:
    """What two spellings of one name have in common: letters without case and accents, no titles, no marks."""
    words = [word for word in name.split() if not (word.endswith(".") and len(word) > TITLE_CHARACTERS)]
    return _slug(" ".join(words)) or reference_key(name)


def _is_alike(first: str, second: str) -> bool:
    """Whether two different names are so near that one may be a slip of the other."""
    one, other = _bare(first), _bare(second)
    return one == other or _folded(first) == _folded(second) or SequenceMatcher(None, one, other).ratio() >= ALIKE_RATIO


def _bare(name: str) -> str:
    """A firm's name without its legal form, which people leave out."""
    words = reference_key(name.replace(".", "").replace(",", " ")).split()
    return " ".join(word for word in words if word not in LEGAL_FORMS) or reference_key(name)


def _slug(name: str) -> str:
    """Lower case, no accents, words joined by dashes; empty for a name without a Latin letter or figure."""
    plain = unicodedata.normalize("NFKD", name.replace("ı", "i").replace("ß", "ss")).encode("ascii", "ignore").decode()
    return "-".join(word for word in re.split(r"[^a-z0-9]+", plain.lower()) if word)


def identifier(name: str, taken: set[str]) -> str:
    """An id for a name, different from those taken; it is added to them."""
    wanted = _slug(name)[:ID_CHARACTERS].strip("-") or "unnamed"
    chosen, number = wanted, 2
    while chosen in taken:
        chosen, number = f"{wanted}-{number}", number + 1
    taken.add(chosen)
    return chosen
