"""The list of checks in the order of their causes, and the one loop that runs them. Nothing here changes anything."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from billstream.cli.exits import Exit
from billstream.cli.results import CheckItem, DoctorResult
from billstream.cli.session import Session
from billstream.configuration.load import Configuration
from billstream.examining import broker, machine, project
from billstream.examining.finding import (
    AsyncLook,
    Finding,
    Look,
    Patient,
    ProjectLook,
    State,
    failed,
    of_error,
    skipped,
)
from billstream.project import now, open_configuration, open_project
from billstream.settings import Installation
from runtime.errors import MachineryError
from schemas.errors import BillstreamError

MENDS_FIRST = "the settings have to be mended first"


@dataclass(frozen=True)
class Check:
    """One check by its id: what it is about, and one of the three ways to look."""

    id: str
    about: str
    look: Look | None = None
    in_project: ProjectLook | None = None
    asks: AsyncLook | None = None


CHECKS = (
    Check("python", "Python", look=machine.python),
    Check("packages", "packages of the engine", look=machine.packages),
    Check("settings", "settings", look=project.settings),
    Check("directory", "directory", in_project=project.directory),
    Check("contracts", "contracts", in_project=project.contracts),
    Check("exchange_rates", "exchange rates", in_project=project.exchange_rates),
    Check("time_zones", "time zones", look=machine.time_zones),
    Check("clock", "clock", look=machine.clock),
    Check("data_folder", "data folder", in_project=project.data_folder),
    Check("disk", "disk", in_project=project.disk),
    Check("memory", "memory", look=machine.memory),
    Check("open_files", "open files", look=machine.open_files),
    Check("secrets", "secrets", in_project=project.secrets),
    Check("sources", "sources", in_project=project.sources),
    Check("sinks", "sinks", in_project=project.sinks),
    Check("paper", "paper of PDF sinks", in_project=machine.paper),
    Check("java", "Java for the embedded broker", in_project=machine.java),
    Check("downloads", "Kafka for the embedded broker", in_project=machine.downloads),
    Check("locks", "what runs", in_project=project.locks),
    Check("ports", "port of metrics and health", asks=broker.ports),
    Check("stores", "stores of books", in_project=project.stores),
    Check("broker", "broker", asks=broker.broker),
    Check("topics", "topics", asks=broker.topics),
    Check("journal", "journal", asks=broker.journal),
    Check("clock_skew", "clocks of those who write", asks=broker.clock_skew),
    Check("dead_letters", "dead letters", asks=broker.dead_letters),
    Check("worker", "worker", asks=broker.worker),
    Check("conservation", "conservation of time", asks=broker.conservation),
)


def examine(session: Session, folder: Path) -> tuple[DoctorResult, Exit]:
    """Run every check; the exit code is that of the first one that failed, or says that something wants a look."""
    patient = _patient(session, folder)
    findings = asyncio.run(_all(patient))
    checks = tuple(
        CheckItem(id=one.id, about=one.about, state=found.state.value, found=found.found, fix=found.fix)
        for one, found in zip(CHECKS, findings, strict=True)
    )
    wrong = [found for found in findings if found.state is State.FAILED]
    warnings = sum(found.state is State.WARNING for found in findings)
    result = DoctorResult(project=str(patient.folder), checks=checks, failed=len(wrong), warnings=warnings)
    if wrong:
        return result, wrong[0].exit_code
    return result, Exit.NEEDS_ATTENTION if warnings else Exit.DONE


def _patient(session: Session, folder: Path) -> Patient:
    installation: Installation | None = None
    configuration: Configuration | None = None
    settings_error: BillstreamError | None = None
    configuration_error: BillstreamError | None = None
    try:
        installation = open_project(folder, session.environment)
    except BillstreamError as error:
        settings_error = error
    if installation is not None:
        try:
            configuration = open_configuration(installation)
        except BillstreamError as error:
            configuration_error = error
    return Patient(
        session=session,
        folder=folder.resolve(),
        installation=installation,
        settings_error=settings_error,
        configuration=configuration,
        configuration_error=configuration_error,
        now=now(),
    )


async def _all(patient: Patient) -> list[Finding]:
    return [await _one(check, patient) for check in CHECKS]


async def _one(check: Check, patient: Patient) -> Finding:
    """A check's finding; an error it runs into is a finding too, so that the others are still made."""
    try:
        if check.look is not None:
            return check.look(patient)
        if patient.installation is None:
            return skipped(MENDS_FIRST)
        if check.in_project is not None:
            return check.in_project(patient, patient.installation)
        assert check.asks is not None, check.id
        return await check.asks(patient, patient.installation)
    except (BillstreamError, MachineryError) as error:
        return of_error(error)
    except TimeoutError:
        return failed("no answer in time", "Try again; look at the broker and the network.", Exit.TRY_AGAIN)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return failed(f"{error.strerror or type(error).__name__}{where}", "Check that it exists, and its rights.")
