"""The files of a new project as commented YAML. Names from exports are quoted, so that none of them is ever syntax."""

import json
from collections.abc import Iterable, Iterator, Mapping

from billstream.beginning.answers import FirmKind
from billstream.beginning.exports import SOURCE_KINDS, Found, Named, identifier

ROLE = "standard"
SCHEMAS = "schemas"


def quoted(text: str) -> str:
    """The text as a double-quoted scalar; control characters and line ends become blanks."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return json.dumps(plain, ensure_ascii=False)


def settings_text(answers: Mapping[str, str], found: Found) -> str:
    """`billstream.yaml`."""
    tenant = identifier(answers["firm"], set())
    lines = [
        f"# yaml-language-server: $schema={SCHEMAS}/settings.schema.json",
        "# Who you are, where time comes from, where documents go. Paths are meant from this folder.",
        f"tenant: {tenant}          # part of every id: do not change it once entries are in",
        "book: main",
        f"zone: {answers['zone']}",
        f"person: {quoted(answers['person'])}          # who gives commands from this machine",
        "",
        "# Where time comes from. What is put into a watched folder is imported while `billstream up` runs.",
        *_sources(found),
        "",
        "# Where documents go; a contract says which of these, and from which state on.",
        "sinks:",
        "  json:",
        "    kind: json",
        "    folder: drafts",
        "  pdf:",
        "    kind: pdf",
        "    folder: drafts",
        "    paper:",
        f"      locale: {answers['locale']}",
        '      color: "#1f3a5f"',
        "      # logo: brand/logo.svg",
        "      # header: [+49 30 5550 100, billing@example.com]",
        "      # footer: [Registered in ...]",
        "      # payment: {IBAN: DE00 0000 0000 0000 0000 00, BIC: ...}",
        "      # terms: Payable without deduction.",
    ]
    if answers["kind"] == FirmKind.LEGAL.value:
        lines += ["  ledes:          # e-billing; needs a matter in the contract and codes on the entries"]
        lines += ["    kind: ledes", "    folder: drafts"]
    return _text(lines)


def _sources(found: Found) -> Iterator[str]:
    if not found.tools:
        yield "# sources:"
        yield "#   toggl:"
        yield "#     kind: toggl-csv          # or harvest-csv, clockify-csv, table, json-lines"
        yield "#     account: main"
        yield "#     folder: inbox/toggl"
        return
    yield "sources:"
    for tool in found.tools:
        yield f"  {tool}:"
        yield f"    kind: {SOURCE_KINDS[tool]}"
        yield "    account: main          # part of each entry's identity: do not change it later"
        yield f"    folder: inbox/{tool}"
        if any(one.problem for one in found.exports if one.tool == tool):
            yield "    # date_order: dmy          # needed: the files can be read in two ways (dmy, mdy or ymd)"


def firm_text(answers: Mapping[str, str]) -> str:
    """`directory/firm.yaml`."""
    rate = answers["rate"]
    row = f"    - {{role: {ROLE}, rate: {rate}}}"
    return _text(
        [
            f"# yaml-language-server: $schema=../{SCHEMAS}/directory.schema.json",
            "# Who bills. Name, address and tax id stand on every invoice.",
            "firm:",
            f"  name: {quoted(answers['firm'])}",
            "  # address: [1 Harbour Street, 10243 Berlin, Germany]",
            "  # tax_id: DE000000000",
            f"  zone: {answers['zone']}",
            f"  currency: {answers['currency']}",
            "  # invoice_numbers: {prefix: 2026-, first: 1, digits: 4}",
            "  # The rate card counts where a contract names no rate of its own; an entry without a rate is held.",
            *(["  rates:", row] if rate else ["  # rates:", f"  #   - {{role: {ROLE}, rate: 120.00}}"]),
        ]
    )


def people_text(people: Iterable[Named]) -> str:
    """`directory/people.yaml`."""
    lines = [
        f"# yaml-language-server: $schema=../{SCHEMAS}/directory.schema.json",
        "# Who works. Names and e-mail addresses are those of your tools; the role of the work date decides the rate.",
        "people:",
    ]
    for one in people:
        emails = f", emails: [{', '.join(map(quoted, one.emails))}]" if one.emails else ""
        others = f", names: [{', '.join(map(quoted, one.spellings))}]" if one.spellings else ""
        lines.append(f"  - {{id: {one.id}, name: {quoted(one.name)}{others}{emails}, roles: [{{role: {ROLE}}}]}}")
    return _text(lines)


def clients_text(clients: Iterable[Named]) -> str:
    """`directory/clients.yaml`: clients, and the projects that entries name."""
    clients = tuple(clients)
    lines = [
        f"# yaml-language-server: $schema=../{SCHEMAS}/directory.schema.json",
        "# Who is billed, with the names that your tools use.",
        "clients:",
    ]
    for one in clients:
        lines += [f"  - id: {one.id}", f"    name: {quoted(one.name)}"]
        lines += ["    # address: [...]", "    # tax_id: ..."]
        if one.alike:
            lines.append(
                "    # These look like the same client. Take the # away if they are; until then they are held."
            )
            lines.append(f"    # names: [{', '.join(map(quoted, one.alike))}]")
    projects = [(project_id, one.id, name) for one in clients for project_id, name in one.projects.items()]
    if projects:
        lines += ["", "projects:"]
        lines += [f"  - {{id: {each}, client: {client}, name: {quoted(name)}}}" for each, client, name in projects]
    return _text(lines)


def contract_text(client: Named, answers: Mapping[str, str]) -> str:
    """`contracts/CLIENT.yaml`: the least that bills, with the usual clauses beside it to be switched on."""
    is_legal = answers["kind"] == FirmKind.LEGAL.value
    vat = answers["vat"]
    lines = [
        f"# yaml-language-server: $schema=../{SCHEMAS}/contract.schema.json",
        f"# What was agreed with {client.name if client.name.isprintable() else client.id}.",
        f"id: {client.id}",
        f"client: {client.id}",
        f"currency: {answers['currency']}",
        f"zone: {answers['zone']}",
        "# from: 2026-01-01          # valid for work from this day on",
        "# rates:                    # else the firm's rate card",
        f"#   - {{role: {ROLE}, rate: 120.00}}",
    ]
    if is_legal:
        lines += ["increments:", "  - {minutes: 6, mode: up}", "lines:", "  group_by: [entry]"]
        lines += ["# matter: {id: M-1, client_matter_id: C-1, name: ...}          # needed for e-billing"]
    else:
        lines += ["# increments:", "#   - {minutes: 15, mode: up}"]
        lines += ["lines:", "  group_by: [project, service_item, role]"]
    lines += [
        "# caps:",
        f"#   - {{id: week, roles: [{ROLE}], window: week, hours: 40, pool: person}}",
        *(["taxes:", f"  - {{category: S, percent: {vat}}}"] if vat else _no_tax()),
        "delivery:",
        "  - {sink: json, leave: draft}",
        "  - {sink: pdf, leave: draft}",
    ]
    return _text(lines)


def _no_tax() -> list[str]:
    return ["# taxes:", "#   - {category: S, percent: 19}"]


def ignore_text() -> str:
    """`.gitignore`: what a version control should not keep."""
    return _text(
        ["# Written by Billstream: its broker and stores, and what it drafts.", ".billstream/", "drafts/", "inbox/"]
    )


def _text(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"
