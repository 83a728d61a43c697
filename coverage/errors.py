"""What can go wrong, as one tree.

::

    SkymistError
    ├── PlanError        a value or an area that no plan can be made from
    ├── MissionError     missions.errors: SiteFileError, FormatError
    └── FlightError      flight.errors: LinkLost, VehicleSilent, VehicleRefused, UploadRefused

A message says where, what was wanted and what was found.
"""


class SkymistError(Exception):
    """Anything that Skymist raises on purpose."""


class PlanError(SkymistError):
    """A value out of its range, or an area that cannot be planned."""


class MissionError(SkymistError):
    """A site file, a plan or a mission that cannot be used."""


class FlightError(SkymistError):
    """A link or a vehicle that did not do what was needed."""
