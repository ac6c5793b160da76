"""The list of all records that may stand on a topic, by name; the codec and the generated files follow it."""

from schemas import commands, entry, facts, inputs, outputs, work
from schemas.draft import PublishedDocument
from schemas.values import Record

INPUTS: tuple[type[Record], ...] = (
    entry.EntryVersion,
    inputs.Decision,
    inputs.SourceWatermark,
    inputs.ImportCompleted,
    inputs.DirectoryRevision,
    inputs.ContractRevision,
    inputs.ExchangeRate,
    inputs.Payment,
    inputs.SinkReceipt,
    inputs.ClockTick,
)
COMMANDS: tuple[type[commands.Command], ...] = (
    commands.AssignEntry,
    commands.CorrectEntry,
    commands.HoldEntry,
    commands.ReleaseEntry,
    commands.DeleteEntry,
    commands.WriteOff,
    commands.CloseDocument,
    commands.ReopenPeriod,
    commands.ApproveDocument,
    commands.RejectDocument,
    commands.IssueDocument,
    commands.VoidDocument,
    commands.SettleDeadLetter,
)
FACTS: tuple[type[facts.Fact], ...] = (
    facts.DocumentDrafted,
    facts.CommandRefused,
    facts.DocumentApproved,
    facts.DocumentIssued,
    facts.DocumentVoided,
    facts.AlertRaised,
)
WORK: tuple[type[Record], ...] = (work.DecideEntry, work.DeliverDocument)
OUTPUTS: tuple[type[Record], ...] = (
    PublishedDocument,
    outputs.Alert,
    outputs.HoursTotal,
    outputs.DeadLetter,
    outputs.OutboxAttempt,
    outputs.SourceProgress,
)
ALL: tuple[type[Record], ...] = (*INPUTS, *COMMANDS, *FACTS, *WORK, *OUTPUTS)
