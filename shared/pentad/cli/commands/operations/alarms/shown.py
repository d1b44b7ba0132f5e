"""What ``pentad drill alarms`` says: of each alarm what has proven it, a real fault or a played signal, and why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pentad.cli.console import OPTIONS, OUT, print_json
from pentad.cli.screen import Grid, build_line, build_styled, choose_verb, format_count

if TYPE_CHECKING:
    from pentad.cli.commands.operations.alarms.alarm_drill import DrilledAlarm, DrilledFault

_NOT_GIVEN = "no real fault was given to the twin (--signals)"
_UNPROVEN = "the fault that should raise it did not"
_UNKNOWN = "the drill has no real fault for it"


@dataclass(frozen=True)
class AlarmDrillResult:
    """What became of a drill.

    Attributes:
        noise: what was on after a healthy day.
        noise_of_load: what went on in an hour of measured load without a fault; None where none was measured.
        faults: by fault that the twin was given.
        alarms: by alarm whose signal was played.
    """

    noise: "Sequence[str]"
    noise_of_load: "Sequence[str] | None"
    faults: "Sequence[DrilledFault]"
    alarms: "Sequence[DrilledAlarm]"

    @property
    def is_well(self) -> bool:
        """Whether all did as they should."""
        problems = [*(one.problem for one in self.faults), *(one.problem for one in self.alarms)]
        return not (self.noise or self.noise_of_load or any(problems))

    def find_proof(self, alarm: str) -> dict[str, str | None]:
        """Return what has proven an alarm: ``by`` fault or signals, the fault, or why there was none."""
        from pentad.cli.commands.operations.alarms.faults.table import BY_SIGNALS, FAULTS

        for one in self.faults:
            if alarm in one.raised and not one.problem:
                return {"by": "fault", "fault": one.name, "why": None}
        known = [why for name, why in BY_SIGNALS.items() if alarm.endswith(f"-{name}")]
        if known:
            return {"by": "signals", "fault": None, "why": known[0]}
        has_fault = any(one.is_to_raise(alarm) for one in FAULTS)
        why = _UNKNOWN if not has_fault else _UNPROVEN if self.faults else _NOT_GIVEN
        return {"by": "signals", "fault": None, "why": why}


def show_alarm_drill(found: AlarmDrillResult) -> None:
    """Print what became of a drill."""
    proofs = {one.name: found.find_proof(one.name) for one in found.alarms}
    if OPTIONS.json:
        print_json(
            {
                "on_after_a_healthy_day": found.noise,
                "on_in_an_hour_of_load": found.noise_of_load,
                "faults": [asdict(one) for one in found.faults],
                "alarms": [asdict(one) | proofs[one.name] for one in found.alarms],
            }
        )
        return
    if found.faults:
        OUT.print(_build_fault_grid(found.faults))
    OUT.print(_build_alarm_grid(found.alarms, proofs))
    for when, noise in (("after a healthy day", found.noise), ("in an hour of load", found.noise_of_load or ())):
        for name in noise:
            OUT.print(build_line("[red]{name} is in ALARM {when}[/]", name=name, when=when))
    told = (("fault", "raises", "raise", "what", found.faults), ("alarm", "does", "do", "as", found.alarms))
    for word, verb, verbs, how, ended in told:
        if ended:
            well, all_of = sum(not one.problem for one in ended), format_count(len(ended), word)
            they = choose_verb(len(ended), "it", "they")
            OUT.print(f"{well} of {all_of} {choose_verb(well, verb, verbs, of=len(ended))} {how} {they} should")
    _tell_proofs(proofs)


def _tell_proofs(proofs: dict[str, dict[str, str | None]]) -> None:
    played = {name: proof["why"] for name, proof in proofs.items() if proof["by"] == "signals"}
    real = len(proofs) - len(played)
    proven = f"{format_count(real, 'alarm')} {choose_verb(real, 'is', 'are')} proven by a real fault"
    OUT.print(f"{proven}, {len(played)} by played signals")
    for why in dict.fromkeys(played.values()):
        names = ", ".join(name for name, one in played.items() if one == why)
        OUT.print(build_line("[dim]by signals, since {why}: {names}[/]", why=str(why), names=names))


def _build_fault_grid(faults: "Sequence[DrilledFault]") -> Grid:
    grid = Grid()
    for heading in ("fault", "class", "what was done", "raised", "told", ""):
        grid.add_column(heading, no_wrap=heading in {"fault", "class"})
    for one in faults:
        raised = ", ".join((*one.raised, *one.others))
        grid.add_row(one.name, one.kind, one.says, raised, _tell(one), _end(one.problem))
    return grid


def _build_alarm_grid(drilled: "Sequence[DrilledAlarm]", proofs: dict[str, dict[str, str | None]]) -> Grid:
    grid = Grid()
    for heading in ("alarm", "on after", "off after", "by", "told", ""):
        grid.add_column(heading, no_wrap=heading != "told", justify="right" if "after" in heading else "left")
    for one in drilled:
        minutes = [f"{each} min" if each is not None else "-" for each in (one.on_minutes, one.off_minutes)]
        fault = proofs[one.name]["fault"]
        grid.add_row(one.name, *minutes, f"fault: {fault}" if fault else "signals", _tell(one), _end(one.problem))
    return grid


def _tell(one: "DrilledAlarm | DrilledFault") -> str:
    return ", ".join([*(f"page: {name}" for name in one.pages), *(f"ticket: {name}" for name in one.tickets)])


def _end(problem: str | None) -> Any:
    return build_styled("ok", "green") if not problem else problem
