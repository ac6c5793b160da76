"""How fast entries become an invoice: contracts with caps, tiers and a retainer; `python -m bench.rating` prints JSON.

Each size runs in a process of its own, because its peak memory is measured; time is processor time of one core. The
entries of one client at a time are in memory, as in a close; making them is not counted.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from bench.machine import machine_facts, peak_resident_mib, plain_loop_milliseconds
from billing.contract import Contract, compile_contract
from billing.directory import Directory, compile_directory
from billing.entries import BillingEntry, work_order
from billing.following import FollowedInvoice
from billing.invoice import InvoiceRequest, compute_invoice, to_body
from schemas.contract import ContractDocument
from schemas.directory import DirectoryDocument
from schemas.draft import DocumentScope
from schemas.entry import EntryKind
from schemas.inputs import Category

WHAT = "Measure the rating of entries; one JSON on standard output."
SIZES = (10_000, 100_000, 1_000_000)
ENTRIES_OF_A_CLIENT = 1_000
ONE_CLIENT = 10_000
PREVIEWS = 3
"""The best of so many counts: the rest is what else the machine did."""
COLLECT_THRESHOLDS = (50_000, 20, 50)
"""As in a worker: what the program is made of is not looked through again and again."""
PERIOD = (date(2026, 10, 1), date(2026, 11, 1))
PEOPLE = 60
TEAM = 6
"""People who work for one client."""
ROLES = ("partner", "senior", "junior")


def contract_of(client: int, entries: int) -> Contract:
    """Two hour caps, a retainer that rolls over and two bands; about half of the work is beyond the retainer."""
    hours = max(entries // 4, 40)
    return compile_contract(
        ContractDocument.model_validate(
            {
                "id": f"contract-{client}",
                "client": f"client-{client}",
                "currency": "EUR",
                "zone": "Europe/Berlin",
                "from": "2026-10-01",
                "increments": [{"minutes": 6}],
                "caps": [
                    {
                        "id": "week", "window": "week", "hours": max(entries // 20, 40), "pool": "person",
                        "overflow": "write_down", "roles": ["senior", "junior"],
                    },
                    {"id": "month", "window": "month", "hours": hours * 3, "pool": "all", "overflow": "write_down"},
                ],
                "retainers": [
                    {
                        "id": "care", "hours": hours, "fee": "1000", "rollover": "max_hours",
                        "rollover_hours": 5, "rollover_periods": 1,
                    }
                ],
                "tiers": [{"id": "hourly", "bands": [{"up_to": hours // 2, "rate": "150"}, {"rate": "130"}]}],
                "taxes": [{"category": "S", "percent": "19"}],
            }
        )
    )  # fmt: skip


def directory_of(clients: int) -> Directory:
    """A firm with some people of three roles."""
    return compile_directory(
        DirectoryDocument.model_validate(
            {
                "firm": {"name": "The Firm", "zone": "Europe/Berlin", "currency": "EUR"},
                "clients": [{"id": f"client-{client}", "name": f"Client {client}"} for client in range(clients)],
                "people": [
                    {"id": f"person-{one}", "name": f"Person {one}", "roles": [{"role": ROLES[one % len(ROLES)]}]}
                    for one in range(PEOPLE)
                ],
            }
        )
    )


def entries_of(client: int, count: int) -> list[BillingEntry]:
    """Work of October in any order: some minutes to three hours, sometimes held or not billable."""
    random = Random(client)
    start = datetime(2026, 10, 1, 6, tzinfo=UTC)
    found = []
    for number in range(count):
        found.append(
            BillingEntry(
                entry_id=f"{client}-{number}",
                content=f"content-{client}-{number}",
                premise="",
                source="toggl",
                source_entry_id=str(number),
                kind=EntryKind.TIME,
                person_id=f"person-{(client * TEAM + random.randrange(TEAM)) % PEOPLE}",
                project_id=f"project-{number % 3}",
                task="",
                service_item=("Design", "Build", "Support")[random.randrange(3)],
                tags=(),
                description="work on the things of the client",
                start=start + timedelta(days=random.randrange(31), minutes=random.randrange(600)),
                end=None,
                work_date=None,
                worked_seconds=random.randrange(300, 10_800),
                category=Category.NON_BILLABLE if random.random() < 0.05 else Category.BILLABLE,
                confidence=Decimal("0.95"),
            )
        )
    return found


def measure(entries: int, per_client: int) -> dict[str, object]:
    """Processor seconds of invoices, and of their bodies, for so many entries; peak memory of this process."""
    clients = max(entries // per_client, 1)
    directory = directory_of(clients)
    gc.freeze()
    gc.set_threshold(*COLLECT_THRESHOLDS)
    invoice_seconds = body_seconds = 0.0
    lines, loops = 0, [plain_loop_milliseconds()]
    for client in range(clients):
        contract, work = contract_of(client, per_client), entries_of(client, per_client)
        began = time.process_time()
        invoice = compute_invoice(_request(client, contract, directory, work))
        invoice_seconds += time.process_time() - began
        began = time.process_time()
        lines += len(to_body(invoice).lines)
        body_seconds += time.process_time() - began
    total = clients * per_client
    loops.append(plain_loop_milliseconds())
    return {
        "entries": total,
        "clients": clients,
        "lines": lines,
        "invoice_cpu_seconds": round(invoice_seconds, 3),
        "entries_per_second": round(total / invoice_seconds),
        "body_cpu_seconds": round(body_seconds, 3),
        "entries_per_second_with_body": round(total / (invoice_seconds + body_seconds)),
        "peak_resident_mib": peak_resident_mib(),
        "plain_loop_ms_before_and_after": loops,
    }


def preview_again(entries: int) -> dict[str, object]:
    """Processor milliseconds of a whole preview, the body, after one new entry, followed and computed whole, by kind of
    contract.

    The new entry is the last of the period, one of the middle, and the first: what a cap or balance gives to later work
    changes behind it. `bodies` says how they were made.
    """
    directory, found = directory_of(1), dict[str, object]()
    zone = contract_of(0, entries).zone
    work = sorted(entries_of(0, entries), key=lambda one: work_order(one, zone))
    gc.freeze()
    gc.set_threshold(*COLLECT_THRESHOLDS)
    for kind, contract in _kinds(entries).items():
        followed, figures_of = FollowedInvoice(), dict[str, float]()
        for name, new in (("last", work[-1]), ("middle", work[len(work) // 2]), ("first", work[0])):
            before = [entry for entry in work if entry is not new]
            taken = []
            for _ in range(PREVIEWS):
                followed.body(_request(0, contract, directory, before))
                began = time.process_time()
                followed.body(_request(0, contract, directory, work))
                taken.append(time.process_time() - began)
            figures_of[f"{name}_ms"] = round(min(taken) * 1000, 1)
        began = time.process_time()
        to_body(compute_invoice(_request(0, contract, directory, work)))
        figures_of["whole_ms"] = round((time.process_time() - began) * 1000, 1)
        found[kind] = {**figures_of, "bodies": dict(followed.bodies)}
    return found


def _kinds(entries: int) -> dict[str, Contract]:
    """The contract of the other figures, and plainer ones."""
    document = contract_of(0, entries).document
    given = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    given = {name: member for name, member in given.items() if name not in ("retainers", "tiers", "caps")}
    given["rates"] = [{"role": role, "rate": rate} for role, rate in zip(ROLES, ("220", "150", "99.99"), strict=True)]
    week = {"id": "week", "window": "week", "hours": max(entries // 20, 40), "pool": "person", "overflow": "write_down"}
    discount = {"id": "loyal", "percent": "5", "level": "invoice", "counts": "fees"}
    return {
        "caps_retainer_tiers": contract_of(0, entries),
        "rates": _compiled(given),
        "hour_cap": _compiled({**given, "caps": [week]}),
        "hour_cap_discount": _compiled({**given, "caps": [week], "discounts": [discount]}),
        "carried_time": _compiled({**given, "caps": [{**week, "overflow": "carry_forward"}]}),
    }


def _compiled(document: dict[str, object]) -> Contract:
    return compile_contract(ContractDocument.model_validate(document))


def _request(client: int, contract: Contract, directory: Directory, entries: list[BillingEntry]) -> InvoiceRequest:
    return InvoiceRequest(
        tenant="firm",
        book="main",
        scope=DocumentScope(
            client_id=f"client-{client}", contract_id=contract.id, date_from=PERIOD[0], date_to=PERIOD[1]
        ),
        contract=contract,
        contract_revision="revision",
        directory=directory,
        directory_revision="people",
        entries=entries,
        exchange_rates=(),
        invoice_date=PERIOD[1],
    )


def figures(*, quick: bool) -> dict[str, object]:
    """All sizes with many clients, then one client with many entries, each in a fresh process."""
    sizes, one_client = (SIZES[:1], ENTRIES_OF_A_CLIENT) if quick else (SIZES, ONE_CLIENT)
    return {
        "many_clients": [_apart(size, min(ENTRIES_OF_A_CLIENT, size)) for size in sizes],
        "one_client": _apart(one_client, one_client),
        "incremental_preview": _said_by(["--previews", str(one_client)]),
    }


def _apart(entries: int, per_client: int) -> dict[str, object]:
    return _said_by(["--entries", str(entries), "--per-client", str(per_client)])


def _said_by(arguments: list[str]) -> dict[str, object]:
    """What this program says in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.rating", *arguments], capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    """All figures, or with `--entries` one measurement in this process."""
    parser = argparse.ArgumentParser(description=WHAT)
    parser.add_argument("--entries", type=int, default=0, help="measure only so many entries, here")
    parser.add_argument("--per-client", type=int, default=ENTRIES_OF_A_CLIENT, help="entries of each client")
    parser.add_argument("--previews", type=int, default=0, help="measure previews of a client with so many entries")
    parser.add_argument("--quick", action="store_true", help="small amounts, to see that it works")
    arguments = parser.parse_args()
    if arguments.previews:
        print(json.dumps(preview_again(arguments.previews)))
        return
    if arguments.entries:
        print(json.dumps(measure(arguments.entries, arguments.per_client)))
        return
    print(json.dumps({"machine": machine_facts(), "rating": figures(quick=arguments.quick)}, indent=1))


if __name__ == "__main__":
    main()
