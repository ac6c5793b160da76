"""UTBMS code sets: what the work was for (task), how it was done (activity), what was bought (expense).

Headings such as L100 group codes and do not belong on a line unless a client's own list names them.
"""

from dataclasses import dataclass
from enum import StrEnum


class CodeKind(StrEnum):
    """Which field a code goes into."""

    TASK = "task"
    ACTIVITY = "activity"
    EXPENSE = "expense"


@dataclass(frozen=True, slots=True)
class UtbmsCode:
    """A code of a set; a heading only groups others."""

    set_id: str
    kind: CodeKind
    code: str
    name: str
    is_heading: bool


@dataclass(frozen=True, slots=True)
class UtbmsSet:
    """A published set of codes."""

    set_id: str
    kind: CodeKind
    version: str
    codes: tuple[UtbmsCode, ...]


def _set(set_id: str, kind: CodeKind, version: str, table: str) -> UtbmsSet:
    """Read a table: one code and its name a line, an asterisk before headings."""
    codes = []
    for line in table.strip().splitlines():
        code, _, name = line.strip().partition(" ")
        codes.append(UtbmsCode(set_id, kind, code.lstrip("*"), name, is_heading=code.startswith("*")))
    return UtbmsSet(set_id, kind, version, tuple(codes))


_LITIGATION = """
*L100 Case Assessment, Development and Administration
L110 Fact Investigation/Development
L120 Analysis/Strategy
L130 Experts/Consultants
L140 Document/File Management
L150 Budgeting
L160 Settlement/Non-Binding ADR
L190 Other Case Assessment, Development and Administration
*L200 Pre-Trial Pleadings and Motions
L210 Pleadings
L220 Preliminary Injunctions/Provisional Remedies
L230 Court Mandated Conferences
L240 Dispositive Motions
L250 Other Written Motions and Submissions
L260 Class Action Certification and Notice
*L300 Discovery
L310 Written Discovery
L320 Document Production
L330 Depositions
L340 Expert Discovery
L350 Discovery Motions
L390 Other Discovery
*L400 Trial Preparation and Trial
L410 Fact Witnesses
L420 Expert Witnesses
L430 Written Motions and Submissions
L440 Other Trial Preparation and Support
L450 Trial and Hearing Attendance
L460 Post-Trial Motions and Submissions
L470 Enforcement
*L500 Appeal
L510 Appellate Motions and Submissions
L520 Appellate Briefs
L530 Oral Argument
"""

_EDISCOVERY = """
*L600 Identification
L601 Discovery planning
L602 Interviews
L609 Quality assurance and control
*L610 Preservation
L611 Preservation order
L612 Legal hold
L619 Quality assurance and control
*L620 Collection
L621 Collection/Recovery
L622 Media costs
L623 Media/ESI Transfer, Receipt, Inventory
L629 Quality assurance and control
*L630 Processing
L631 ESI stage, preparation and process
L632 Scanning - hard copy
L633 Foreign language translation
L634 Exception handling
L639 Quality assurance and control
*L650 Review
L651 Hosting costs
L652 Objective and subjective coding
L653 First pass document review
L654 Second pass document review
L655 Privilege review
L656 Redaction
L659 Quality assurance and control
L660 Analysis
L669 Quality assurance and control
*L670 Production
L671 Conversion of ESI to production format
L679 Quality assurance and control
L680 Presentation
L689 Quality assurance and control
L690 Project Management
"""

_BANKRUPTCY = """
*B100 Administration
B110 Case Administration
B120 Asset Analysis and Recovery
B130 Asset Disposition
B140 Relief from Stay/Adequate Protection Proceedings
B150 Meetings of and Communications with Creditors
B160 Fee/Employment Applications
B170 Fee/Employment Objections
B180 Avoidance Action Analysis
B185 Assumption/Rejection of Leases and Contracts
B190 Other Contested Matters
B195 Non-Working Travel
*B200 Operations
B210 Business Operations
B220 Employee Benefits/Pensions
B230 Financing/Cash Collections
B240 Tax Issues
B250 Real Estate
B260 Board of Directors Matters
*B300 Claims and Plan
B310 Claims Administration and Objections
B320 Plan and Disclosure Statement
*B400 Bankruptcy-Related Advice
B410 General Bankruptcy Advice/Opinions
B420 Restructuring
"""

_COUNSELING = """
C100 Fact Gathering
C200 Researching Law
C300 Analysis and Advice
C400 Third Party Communication
"""

_PROJECT = """
P100 Project Administration
*P200 Fact Gathering/Due Diligence
P210 Corporate Review
P220 Tax
P230 Environmental
P240 Real and Personal Property
P250 Employee/Labor
P260 Intellectual Property
P270 Regulatory Reviews
P280 Other
P300 Structure/Strategy/Analysis
P400 Initial Document Preparation/Filing
P500 Negotiation/Revision/Responses
P600 Completion/Closing
P700 Post-Completion/Post-Closing
P800 Maintenance and Renewal
"""

_PATENT = """
*PA100 Assessment, Development and Administration
PA110 Fact Investigation and Development
PA120 Analysis/Strategy
PA130 Document/File Management
PA140 Budgeting
PA199 Other
*PA200 Investigation and Analysis
PA210 State-of-the-Art
PA220 Patentability
PA230 Clearance
PA240 Validity
PA250 Publication Watches
PA260 Infringement
PA270 Status
PA299 Other
*PA300 Domestic Preparation
PA310 Provisional
PA320 Non-Provisional
PA330 Design
PA340 Plant
PA350 Continuing
PA360 Validation
PA399 Other
*PA400 Domestic Prosecution
PA410 Information Disclosure Statement
PA420 Preliminary Amendment
PA430 Official Communication
PA440 Quasi-Judicial Proceedings
PA450 Post-Issuance Remedial Action
PA499 Other
*PA500 International Preparation
PA510 Provisional
PA520 Non-Provisional
PA530 Design
PA540 Plant
PA550 Continuing
PA560 Validation
PA599 Other
*PA600 International Prosecution
PA610 Information Disclosure Statement
PA620 Preliminary Amendment
PA630 Official Communication
PA640 Quasi-Judicial Proceedings
PA650 Post-Issuance Remedial Action
PA699 Other
*PA700 Other
PA710 Opinion Preparation
PA720 Portfolio Analysis and Management
PA730 Assignments and Security Interests
PA740 Licensing
"""

_TRADEMARK = """
*TR100 Assessment, Development and Administration
TR110 Fact Investigation and Development
TR120 Analysis/Strategy
TR130 Document/File Management
TR140 Budgeting
TR199 Other
*TR200 Investigation
TR220 Registerability
TR230 Clearance
TR240 Opposition
TR250 Publication Watches
TR260 Enforcement
TR270 Status
TR299 Other
*TR300 Domestic Application
TR310 Preparation and Filing
TR399 Other
*TR400 Domestic Prosecution and Renewal
TR410 Affidavits/Petitions/Extensions/Declarations
TR420 Preliminary Amendment
TR430 Official Communication
TR440 Quasi-Judicial Proceedings
TR499 Other
*TR500 International Application
TR510 Preparation and Filing
TR599 Other
*TR600 International Prosecution and Renewal
TR610 Affidavits/Petitions/Extensions/Declarations
TR620 Preliminary Amendment
TR630 Official Communication
TR640 Quasi-Judicial Proceedings
TR699 Other
*TR700 Other
TR710 Opinion Preparation
TR720 Portfolio Analysis and Management
TR730 Assignments and Security Interests
TR740 Licensing
TR750 Domain Names gTLD
TR760 Domain Names ccTLD
TR770 Domain Name Proceedings
TR799 Other
"""

_ACTIVITY = """
*A100 Activities
A101 Plan and prepare for
A102 Research
A103 Draft/revise
A104 Review/analyze
A105 Communicate (in firm)
A106 Communicate (with client)
A107 Communicate (other outside counsel)
A108 Communicate (other external)
A109 Appear for/attend
A110 Manage data/files
A111 Other
"""

_ACTIVITY_2013 = """
A112 Billable travel time
A113 Communicate (witnesses)
A114 Communicate (experts)
A115 Medical record and medical bill management
A116 Training
A117 Special handling copying/scanning/imaging (internal)
A118 Collection-forensic
A119 Culling and filtering
A120 Processing
A121 Review and analysis
A122 Quality assurance and control
A123 Search creation and execution
A124 Privilege review culling and log creation
A125 Document production creation and preparation
A126 Evidence/exhibit creation and preparation
A127 Project management
A128 Collection closing activities
"""

_EXPENSE = """
*E100 Expenses
E101 Copying
E102 Outside printing
E103 Word processing
E104 Facsimile
E105 Telephone
E106 Online research
E107 Delivery services/messengers
E108 Postage
E109 Local travel
E110 Out-of-town travel
E111 Meals
E112 Court fees
E113 Subpoena fees
E114 Witness fees
E115 Deposition transcripts
E116 Trial transcripts
E117 Trial exhibits
E118 Litigation support vendors
E119 Experts
E120 Private investigators
E121 Arbitrators/mediators
E122 Local counsel
E123 Other professionals
E124 Other
"""

_EXPENSE_PROPERTY = """
E125 Translation
E126 Drawings
E127 Patent and trademark records
E128 Searching and monitoring
E129 Official fees
"""

SETS: tuple[UtbmsSet, ...] = (
    _set("litigation", CodeKind.TASK, "ABA", _LITIGATION),
    _set("ediscovery", CodeKind.TASK, "LOC 2011", _EDISCOVERY),
    _set("bankruptcy", CodeKind.TASK, "ABA", _BANKRUPTCY),
    _set("counseling", CodeKind.TASK, "ABA", _COUNSELING),
    _set("project", CodeKind.TASK, "ABA", _PROJECT),
    _set("patent", CodeKind.TASK, "LOC", _PATENT),
    _set("trademark", CodeKind.TASK, "LOC", _TRADEMARK),
    _set("activity", CodeKind.ACTIVITY, "ABA", _ACTIVITY),
    _set("activity-2013", CodeKind.ACTIVITY, "LOC 2013", _ACTIVITY_2013),
    _set("expense", CodeKind.EXPENSE, "ABA", _EXPENSE),
    _set("expense-property", CodeKind.EXPENSE, "LOC", _EXPENSE_PROPERTY),
)
SET_IDS = tuple(each.set_id for each in SETS)
CODES: dict[str, UtbmsCode] = {code.code: code for each in SETS for code in each.codes}

TIMEKEEPER_CLASSIFICATIONS: frozenset[str] = frozenset(
    (
        "ADJSTR ADJSMT ANALST ARBITR ASSOC TRANEE AUDITR CLKSEC CONSLT TEMPAT TEMPOS CSTCNS CTRPTR DSCATT DSCPMG DSCANJ"
        " DSCANS DOCCDR DOCRAT DOCRNA EVDEVL EXPERT FLTFEE FORANL HLNLPF INVSTG IPSVPV IPAGNT LGLAST LGLINT LGPRMG"
        " LIBRRN MEDITR MDRCRV OFCOUN NBOTHR PARALG PARTNR RSRCHR RSPROF SECNDE SPAGNT SOLDSG STFATT STFCNS TPADMN"
        " TRAINR TRNDEV TRNFAG TRANSL VIDOGR"
    ).split()
)
"""Codes of the LEDES Oversight Committee, 7/2014."""

CLASSIFICATION_OF_ROLE: dict[str, str] = {
    "partner": "PARTNR",
    "associate": "ASSOC",
    "of counsel": "OFCOUN",
    "paralegal": "PARALG",
    "consultant": "CONSLT",
    "trainee": "TRANEE",
    "legal assistant": "LGLAST",
}
"""Roles that say by their name what they are; all others are set in the receiver's options or left out."""
