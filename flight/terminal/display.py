"""What the operator sees while drones fly: a live table, plain lines, or JSON events.

All of it on standard error but the JSON events, which go to standard output. The table is redrawn
by wall time, however fast simulated time runs; nothing here waits.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, dataclass
from time import monotonic
from typing import IO, TYPE_CHECKING, Literal, Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from skymist.flight.terminal.wording import ENGLISH, Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import RenderableType

REDRAW_S = 0.2
LINES_EVERY_S = 10.0
COLUMNS: tuple[tuple[str, Literal["left", "right"], int, bool], ...] = (
    ("drone", "left", 6, True),
    ("state", "left", 9, False),
    ("at", "left", 14, True),
    ("passes", "right", 6, False),
    ("litres", "right", 6, False),
    ("tank", "right", 4, False),
    ("battery", "right", 7, False),
    ("left", "right", 5, False),
    ("link", "left", 8, True),
)
"""Of the table: title, side, least letters, and whether it is cut where the screen is narrow."""
UPLOAD_BAR = 9
"""Letters of the bar of an upload."""
_STYLE = {"failed": "bold red", "pilot": "bold yellow", "lost": "bold red", "spraying": "green"}
_WORTH = frozenset({"pump", "skipped", "order", "weather", "replan", "end", "notice"})
_QUIET = frozenset({"track", "header", "pass", "link"} | {"parameters_before"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneView:
    """One drone's row. Passes, litres and `left_s` are of all its sorties.

    `uploaded_frac` is how much of a mission it has taken, None while it takes none.
    """

    drone_id: str
    phase: str
    spot_id: str = ""
    num_passes: int = 0
    num_passes_done: int = 0
    litres_l: float = 0.0
    tank_l: float = 0.0
    battery_frac: float | None = None
    left_s: float = 0.0
    note: str = ""
    uploaded_frac: float | None = None
    link: str = ""


class Display(Protocol):
    """Where the conductor shows what goes on."""

    def show(self, view: DroneView) -> None:
        """Take the newest view of one drone; called often."""

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """Take an event of the record (but no tracks)."""

    def close(self) -> None:
        """Show the last state and let go of the terminal."""


class Silent:
    """Shows nothing."""

    def show(self, view: DroneView) -> None:
        """Pass over a view."""

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """Pass over an event."""

    def close(self) -> None:
        """Do nothing."""


def clock_text(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes: ``4:05``, ``2 h 07``."""
    if not math.isfinite(seconds):
        return "-"
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def event_text(name: str, fields: Mapping[str, object], wording: Wording = ENGLISH) -> str:
    """One line of words for an event, in the wording's language."""
    say = wording.say
    text = wording.told(str(fields.get("text") or fields.get("reason") or fields.get("result", "")))
    drone = fields.get("drone_id", "")
    match name:
        case "sortie":
            line = "{drone}: {sortie} {state}, {why}" if text else "{drone}: {sortie} {state}"
            state = say(str(fields["state"]))
            return say(line, drone=drone, sortie=fields["sortie_id"], state=state, why=text)
        case "alert":
            severity = say(str(fields["severity"]).upper())
            return say("{drone}: {severity}: {why}", drone=drone, severity=severity, why=text)
        case "pump":
            return say("{drone}: pump commanded off: {why}", drone=drone, why=text)
        case "service":
            if fields["kind"] == "swap":
                return say("{drone}: battery swapped", drone=drone)
            litres = f"{fields['litres_l']:.1f}"
            return say("{drone}: {litres} L filled in", drone=drone, litres=litres)
        case "look":
            return say(
                "{drone}: {sortie}: {why}", drone=drone, sortie=fields["sortie_id"], why=text
            )
        case "order":
            return _order_text(fields, text, wording)
        case "weather":
            return say("weather: {why}", why=text)
        case "replan":
            return say("planned anew: {why}", why=text)
        case "skipped":
            ids = {"sortie": fields["sortie_id"], "spot": fields["spot_id"]}
            return say("{sortie}: {spot} skipped: {why}", **ids, why=text)
        case "end":
            return say("{outcome}: {why}", outcome=say(str(fields["outcome"])), why=text)
        case "part":
            return say("part {number}: taken up again", number=fields.get("number", ""))
        case "notice":
            return text
        case "parameters_restored":
            names = _listed(fields["names"])
            return say("{drone}: its own parameters put back: {names}", drone=drone, names=names)
    told = ", ".join(f"{key} {_listed(value)}" for key, value in fields.items())
    return f"{name.replace('_', ' ')}: {told}"


def _order_text(fields: Mapping[str, object], text: str, wording: Wording) -> str:
    """Who ordered what, and what came of it."""
    say = wording.say
    asked = f"{say(str(fields['verb']))} {fields['target']}".strip()
    drone = fields["drone_id"] or say("all")
    line = "{who}: {asked}: {drone}: {why}"
    return say(line, who=say(str(fields["by"])), asked=asked, drone=drone, why=text)


def _listed(value: object) -> str:
    """A value in a line of words."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def overall_frac(views: Mapping[str, DroneView]) -> float:
    """Share of all passes that have been flown, 0 to 1."""
    total = sum(view.num_passes for view in views.values())
    return sum(view.num_passes_done for view in views.values()) / total if total else 0.0


class LiveDisplay:
    """A table with one row for each drone and a bar for all, redrawn at most 5 times a second.

    `wall_s` is the machine's clock, not the loop's: the screen is for a person.
    """

    def __init__(
        self, console: Console | None = None, *, wall_s: Callable[[], float] = monotonic
    ) -> None:
        self._console = console or Console(stderr=True)
        self._wall_s = wall_s
        self._views: dict[str, DroneView] = {}
        self._drawn_s = -math.inf
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._live.start()

    def show(self, view: DroneView) -> None:
        """Take a drone's view; drawn when it is time."""
        self._views[view.drone_id] = view
        if self._wall_s() - self._drawn_s >= REDRAW_S:
            self._draw()

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """Print what went wrong above the table; the rest is in its rows."""
        is_worth = name in _WORTH or fields.get("state") == "failed"
        if is_worth or (name == "alert" and fields["severity"] != "info"):
            self._console.print(Text(event_text(name, fields)))

    def close(self) -> None:
        """Draw once more and end."""
        self._draw()
        self._live.stop()

    def _draw(self) -> None:
        self._drawn_s = self._wall_s()
        self._live.update(table_of(self._views), refresh=True)


def table_of(views: Mapping[str, DroneView]) -> RenderableType:
    """The table and the bar."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 0), pad_edge=False, show_edge=False)
    for title, justify, least, gives_way in COLUMNS:
        table.add_column(title, justify=justify, min_width=least, no_wrap=not gives_way)
    for _, view in sorted(views.items()):
        battery = "-" if view.battery_frac is None else f"{view.battery_frac:.0%}"
        table.add_row(
            _short(view.drone_id),
            Text(view.phase, style=_STYLE.get(view.phase, "")),
            _short(doing(view)),
            f"{view.num_passes_done}/{view.num_passes}",
            f"{view.litres_l:.1f}",
            f"{view.tank_l:.1f}",
            battery,
            clock_text(view.left_s),
            _short(view.link),
        )
    frac = overall_frac(views)
    left_s = max((view.left_s for view in views.values()), default=0.0)
    foot = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=1.0, completed=frac, width=40, complete_style="green")
    foot.add_row(bar, f"{frac:.0%} of all passes, {clock_text(left_s)} left")
    return Group(table, foot)


def _short(text: str) -> Text:
    """A text of one line, cut with dots where the screen is narrow."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def doing(view: DroneView) -> str:
    """What a drone is at: its spot, how much of its mission it has taken, or why it waits."""
    if view.uploaded_frac is not None:
        done = round(view.uploaded_frac * UPLOAD_BAR)
        return f"{view.uploaded_frac:.0%} {'━' * done}{'╌' * (UPLOAD_BAR - done)}"
    return view.spot_id or view.note


class LineDisplay:
    """Plain lines for a log file or a pipe: events as they come, progress every 10 s of wall."""

    def __init__(
        self, out: IO[str] | None = None, *, wall_s: Callable[[], float] = monotonic
    ) -> None:
        self._out = out or sys.stderr
        self._wall_s = wall_s
        self._views: dict[str, DroneView] = {}
        self._said_s = wall_s()

    def show(self, view: DroneView) -> None:
        """Take a drone's view; told when it is time."""
        self._views[view.drone_id] = view
        if self._wall_s() - self._said_s < LINES_EVERY_S:
            return
        self._said_s = self._wall_s()
        rows = (f"{v.drone_id} {v.phase} {doing(v)}".strip() for v in self._views.values())
        print(f"{overall_frac(self._views):.0%}: {'; '.join(rows)}", file=self._out, flush=True)

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """Tell an event, but for single passes."""
        if name not in _QUIET:
            print(event_text(name, fields), file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is open."""


class JsonDisplay:
    """One JSON object a line: every event of the record but tracks, and views once a second."""

    def __init__(
        self, out: IO[str] | None = None, *, wall_s: Callable[[], float] = monotonic
    ) -> None:
        self._out = out or sys.stdout
        self._wall_s = wall_s
        self._said_s: dict[str, float] = {}

    def show(self, view: DroneView) -> None:
        """Tell a drone's view, once a second of wall time for each."""
        at_s = self._wall_s()
        if at_s - self._said_s.get(view.drone_id, -math.inf) >= 1.0:
            self._said_s[view.drone_id] = at_s
            self._say({"event": "drone", **asdict(view)})

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """Tell an event; of the header not the plan."""
        self._say({"event": name, **{k: v for k, v in fields.items() if k != "plan"}})

    def close(self) -> None:
        """Hand on what is buffered."""
        self._out.flush()

    def _say(self, event: Mapping[str, object]) -> None:
        print(json.dumps(event, ensure_ascii=False), file=self._out, flush=True)


def display_for(*, as_json: bool, console: Console | None = None) -> Display:
    """The display that fits: JSON where asked, a table on a terminal, plain lines elsewhere."""
    if as_json:
        return JsonDisplay()
    console = console or Console(stderr=True)
    return LiveDisplay(console) if console.is_terminal else LineDisplay()
