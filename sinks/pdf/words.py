"""The words that stand on a document, in each language it can be written in. Texts of people are never translated."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.draft import CorrectionReason


@dataclass(frozen=True, slots=True)
class Phrases:
    """What billing says by itself on lines; `{...}` marks where a value goes."""

    services: str
    above_retainer: str
    above_block: str
    above_cap: str
    used_and_left: str
    markup: str
    deducted: str
    minimum: str
    shortfall: str
    shortfall_of: str


@dataclass(frozen=True, slots=True)
class Words:
    """One language; `{...}` marks where a value goes."""

    invoice: str
    credit_note: str
    draft: str
    void: str
    replaced: str
    number: str
    invoice_date: str
    note_number: str
    note_date: str
    due_date: str
    period: str
    client_number: str
    matter: str
    client_matter: str
    purchase_order: str
    attention: str
    tax_id: str
    summary: str
    services: str
    expenses: str
    adjustments: str
    credits: str
    other_work: str
    project: str
    description: str
    date: str
    timekeeper: str
    timekeepers: str
    role: str
    code: str
    task_summary: str
    task: str
    hours: str
    quantity: str
    rate: str
    price: str
    adjustment: str
    amount: str
    subtotal: str
    net: str
    tax: str
    tax_on: str
    total: str
    amount_due: str
    credit_due: str
    payment: str
    terms: str
    details: str
    entries: str
    person: str
    page_of: str
    uncoded: str
    time_not_billed: str
    lump: str
    document: str
    charges: str
    corrections: str
    corrected: str
    billed_anew: str
    reasons: Mapping[CorrectionReason, str]
    total_corrected: str
    as_billed: str
    recomputed: str
    difference: str
    accounts: str
    account: str
    balance_before: str
    received: str
    applied: str
    balance_after: str
    requested: str
    hours_accounts: str
    carried_in: str
    granted: str
    used: str
    lapsed: str
    carried_out: str
    phrases: Phrases


_ENGLISH = Words(
    invoice="Invoice",
    credit_note="Credit note",
    draft="Draft",
    void="Void",
    replaced="Not valid",
    number="Invoice number",
    invoice_date="Invoice date",
    note_number="Credit note number",
    note_date="Date",
    due_date="Payable by",
    period="Period",
    client_number="Client",
    matter="Matter",
    client_matter="Your matter",
    purchase_order="Your order",
    attention="Attention",
    tax_id="Tax ID",
    summary="Summary",
    services="Professional services",
    expenses="Expenses",
    adjustments="Adjustments",
    credits="Credits",
    other_work="Other work",
    project="Project",
    description="Description",
    date="Date",
    timekeeper="Tk.",
    timekeepers="Timekeepers",
    role="Role",
    code="Code",
    task_summary="Work by task",
    task="Task",
    hours="Hours",
    quantity="Quantity",
    rate="Rate",
    price="Price",
    adjustment="Adjustment",
    amount="Amount",
    subtotal="Subtotal",
    net="Net",
    tax="Tax",
    tax_on="{name} {rate} on {base}",
    total="Total",
    amount_due="Amount due",
    credit_due="In your favour",
    payment="Payment",
    terms="Terms",
    details="Details",
    entries="Time entries",
    person="Name",
    page_of="Page {page} of {pages}",
    uncoded="Without code",
    time_not_billed="Adjustments of the document",
    lump="lump sum",
    document="Document",
    charges="Fixed and recurring fees",
    corrections="Corrections of earlier documents",
    corrected="Corrects",
    billed_anew="billed anew",
    reasons=MappingProxyType(
        {
            CorrectionReason.EDIT: "changed",
            CorrectionReason.DELETION: "deleted",
            CorrectionReason.MOVE: "moved",
            CorrectionReason.LATE: "late",
            CorrectionReason.RESTORED: "restored",
            CorrectionReason.AMENDMENT: "terms amended",
            CorrectionReason.DECISION: "decided anew",
            CorrectionReason.RELEASE: "released",
            CorrectionReason.WRITE_OFF: "written off",
            CorrectionReason.SHARED: "follows from another correction",
        }
    ),
    total_corrected="Total with corrections",
    as_billed="As billed",
    recomputed="Recomputed",
    difference="Difference",
    accounts="Money held for you",
    account="Account",
    balance_before="Balance before",
    received="Received",
    applied="Applied",
    balance_after="Balance after",
    requested="Requested",
    hours_accounts="Hours on account",
    carried_in="Brought forward",
    granted="Added",
    used="Used",
    lapsed="Lapsed",
    carried_out="Carried forward",
    phrases=Phrases(
        services="Services",
        above_retainer="above retainer {name}",
        above_block="above block {name}",
        above_cap="above cap {name}",
        used_and_left="{used} h used, {left} h left",
        markup="Mark-up on expenses",
        deducted="{name} of {day}, deducted",
        minimum="Minimum commitment",
        shortfall="shortfall",
        shortfall_of="{name}, shortfall of {period}",
    ),
)

_GERMAN = Words(
    invoice="Rechnung",
    credit_note="Rechnungskorrektur",
    draft="Entwurf",
    void="Storniert",
    replaced="Ungültig",
    number="Rechnungsnummer",
    invoice_date="Rechnungsdatum",
    note_number="Belegnummer",
    note_date="Datum",
    due_date="Zahlbar bis",
    period="Zeitraum",
    client_number="Kunde",
    matter="Mandat",
    client_matter="Ihr Aktenzeichen",
    purchase_order="Ihre Bestellung",
    attention="Zu Händen",
    tax_id="USt-IdNr.",
    summary="Übersicht",
    services="Leistungen",
    expenses="Auslagen",
    adjustments="Anpassungen",
    credits="Anrechnungen",
    other_work="Weitere Arbeiten",
    project="Projekt",
    description="Beschreibung",
    date="Datum",
    timekeeper="Kürzel",
    timekeepers="Bearbeitende",
    role="Funktion",
    code="Code",
    task_summary="Arbeit nach Aufgaben",
    task="Aufgabe",
    hours="Stunden",
    quantity="Menge",
    rate="Satz",
    price="Preis",
    adjustment="Anpassung",
    amount="Betrag",
    subtotal="Zwischensumme",
    net="Netto",
    tax="USt.",
    tax_on="{name} {rate} auf {base}",
    total="Gesamt",
    amount_due="Zu zahlen",
    credit_due="Zu Ihren Gunsten",
    payment="Zahlung",
    terms="Bedingungen",
    details="Einzelheiten",
    entries="Zeiteinträge",
    person="Name",
    page_of="Seite {page} von {pages}",
    uncoded="Ohne Code",
    time_not_billed="Anpassungen des Dokuments",
    lump="pauschal",
    document="Dokument",
    charges="Feste und wiederkehrende Entgelte",
    corrections="Korrekturen früherer Dokumente",
    corrected="Korrigiert",
    billed_anew="neu berechnet",
    reasons=MappingProxyType(
        {
            CorrectionReason.EDIT: "geändert",
            CorrectionReason.DELETION: "gelöscht",
            CorrectionReason.MOVE: "verschoben",
            CorrectionReason.LATE: "nachgetragen",
            CorrectionReason.RESTORED: "wiederhergestellt",
            CorrectionReason.AMENDMENT: "Bedingungen geändert",
            CorrectionReason.DECISION: "neu entschieden",
            CorrectionReason.RELEASE: "freigegeben",
            CorrectionReason.WRITE_OFF: "erlassen",
            CorrectionReason.SHARED: "Folge einer anderen Korrektur",
        }
    ),
    total_corrected="Summe mit Korrekturen",
    as_billed="Berechnet",
    recomputed="Neu berechnet",
    difference="Differenz",
    accounts="Für Sie verwahrtes Geld",
    account="Konto",
    balance_before="Stand zuvor",
    received="Eingang",
    applied="Verrechnet",
    balance_after="Stand danach",
    requested="Angefordert",
    hours_accounts="Stundenkonto",
    carried_in="Vortrag",
    granted="Zugang",
    used="Verbraucht",
    lapsed="Verfallen",
    carried_out="Übertrag",
    phrases=Phrases(
        services="Leistungen",
        above_retainer="über {name} hinaus",
        above_block="über {name} hinaus",
        above_cap="über der Grenze {name}",
        used_and_left="{used} h verbraucht, {left} h übrig",
        markup="Aufschlag auf Auslagen",
        deducted="{name} vom {day}, abgezogen",
        minimum="Mindestumsatz",
        shortfall="Fehlbetrag",
        shortfall_of="{name}, Fehlbetrag aus {period}",
    ),
)

_FRENCH = Words(
    invoice="Facture",
    credit_note="Avoir",
    draft="Brouillon",
    void="Annulée",
    replaced="Non valable",
    number="Numéro de facture",
    invoice_date="Date de facture",
    note_number="Numéro d'avoir",
    note_date="Date",
    due_date="Échéance",
    period="Période",
    client_number="Client",
    matter="Dossier",
    client_matter="Votre dossier",
    purchase_order="Votre commande",
    attention="À l'attention de",
    tax_id="N° de TVA",
    summary="Récapitulatif",
    services="Prestations",
    expenses="Frais",
    adjustments="Ajustements",
    credits="Imputations",
    other_work="Autres travaux",
    project="Projet",
    description="Description",
    date="Date",
    timekeeper="Int.",
    timekeepers="Intervenants",
    role="Fonction",
    code="Code",
    task_summary="Travail par tâche",
    task="Tâche",
    hours="Heures",
    quantity="Quantité",
    rate="Taux",
    price="Prix",
    adjustment="Ajustement",
    amount="Montant",
    subtotal="Sous-total",
    net="Net",
    tax="TVA",
    tax_on="{name} {rate} sur {base}",
    total="Total",
    amount_due="À payer",
    credit_due="En votre faveur",
    payment="Paiement",
    terms="Conditions",
    details="Détails",
    entries="Temps passés",
    person="Nom",
    page_of="Page {page} sur {pages}",
    uncoded="Sans code",
    time_not_billed="Ajustements du document",
    lump="forfait",
    document="Document",
    charges="Honoraires fixes et récurrents",
    corrections="Corrections de documents antérieurs",
    corrected="Corrige",
    billed_anew="refacturé",
    reasons=MappingProxyType(
        {
            CorrectionReason.EDIT: "modifié",
            CorrectionReason.DELETION: "supprimé",
            CorrectionReason.MOVE: "déplacé",
            CorrectionReason.LATE: "tardif",
            CorrectionReason.RESTORED: "rétabli",
            CorrectionReason.AMENDMENT: "conditions modifiées",
            CorrectionReason.DECISION: "nouvelle décision",
            CorrectionReason.RELEASE: "débloqué",
            CorrectionReason.WRITE_OFF: "abandonné",
            CorrectionReason.SHARED: "suite d'une autre correction",
        }
    ),
    total_corrected="Total avec corrections",
    as_billed="Facturé",
    recomputed="Recalculé",
    difference="Différence",
    accounts="Fonds détenus pour vous",
    account="Compte",
    balance_before="Solde initial",
    received="Reçu",
    applied="Imputé",
    balance_after="Solde final",
    requested="Demandé",
    hours_accounts="Compte d'heures",
    carried_in="Report",
    granted="Ajouté",
    used="Utilisé",
    lapsed="Expiré",
    carried_out="À reporter",
    phrases=Phrases(
        services="Prestations",
        above_retainer="au-delà de {name}",
        above_block="au-delà de {name}",
        above_cap="au-delà du plafond {name}",
        used_and_left="{used} h utilisées, {left} h restantes",
        markup="Majoration sur les frais",
        deducted="{name} du {day}, déduit",
        minimum="Minimum convenu",
        shortfall="montant manquant",
        shortfall_of="{name}, montant manquant de {period}",
    ),
)

_SPANISH = Words(
    invoice="Factura",
    credit_note="Nota de crédito",
    draft="Borrador",
    void="Anulada",
    replaced="No válida",
    number="Número de factura",
    invoice_date="Fecha de factura",
    note_number="Número de nota de crédito",
    note_date="Fecha",
    due_date="Vencimiento",
    period="Período",
    client_number="Cliente",
    matter="Asunto",
    client_matter="Su asunto",
    purchase_order="Su pedido",
    attention="A la atención de",
    tax_id="NIF/IVA",
    summary="Resumen",
    services="Servicios",
    expenses="Gastos",
    adjustments="Ajustes",
    credits="Imputaciones",
    other_work="Otros trabajos",
    project="Proyecto",
    description="Descripción",
    date="Fecha",
    timekeeper="Prof.",
    timekeepers="Profesionales",
    role="Función",
    code="Código",
    task_summary="Trabajo por tarea",
    task="Tarea",
    hours="Horas",
    quantity="Cantidad",
    rate="Tarifa",
    price="Precio",
    adjustment="Ajuste",
    amount="Importe",
    subtotal="Subtotal",
    net="Neto",
    tax="IVA",
    tax_on="{name} {rate} sobre {base}",
    total="Total",
    amount_due="A pagar",
    credit_due="A su favor",
    payment="Pago",
    terms="Condiciones",
    details="Detalle",
    entries="Registro de horas",
    person="Nombre",
    page_of="Página {page} de {pages}",
    uncoded="Sin código",
    time_not_billed="Ajustes del documento",
    lump="tanto alzado",
    document="Documento",
    charges="Honorarios fijos y periódicos",
    corrections="Correcciones de documentos anteriores",
    corrected="Corrige",
    billed_anew="facturado de nuevo",
    reasons=MappingProxyType(
        {
            CorrectionReason.EDIT: "modificado",
            CorrectionReason.DELETION: "eliminado",
            CorrectionReason.MOVE: "trasladado",
            CorrectionReason.LATE: "tardío",
            CorrectionReason.RESTORED: "restablecido",
            CorrectionReason.AMENDMENT: "condiciones modificadas",
            CorrectionReason.DECISION: "nueva decisión",
            CorrectionReason.RELEASE: "liberado",
            CorrectionReason.WRITE_OFF: "no facturado",
            CorrectionReason.SHARED: "consecuencia de otra corrección",
        }
    ),
    total_corrected="Total con correcciones",
    as_billed="Facturado",
    recomputed="Recalculado",
    difference="Diferencia",
    accounts="Fondos a su favor",
    account="Cuenta",
    balance_before="Saldo inicial",
    received="Recibido",
    applied="Imputado",
    balance_after="Saldo final",
    requested="Solicitado",
    hours_accounts="Bolsa de horas",
    carried_in="Arrastre",
    granted="Añadido",
    used="Usado",
    lapsed="Caducado",
    carried_out="A arrastrar",
    phrases=Phrases(
        services="Servicios",
        above_retainer="por encima de {name}",
        above_block="por encima de {name}",
        above_cap="por encima del límite {name}",
        used_and_left="{used} h usadas, {left} h restantes",
        markup="Recargo sobre gastos",
        deducted="{name} del {day}, deducido",
        minimum="Mínimo acordado",
        shortfall="importe pendiente",
        shortfall_of="{name}, importe pendiente de {period}",
    ),
)

LANGUAGES: Mapping[str, Words] = MappingProxyType({"de": _GERMAN, "en": _ENGLISH, "es": _SPANISH, "fr": _FRENCH})
