"""Coverage geometry: areas to disinfect, passes over them, the order to fly them.

Always imported as ``skymist.coverage``. Standing in the repository root, a plain
``import coverage`` (pytest-cov, numba, ``python -m coverage``) means coverage.py,
so under that name this file steps aside for it.
"""

if __name__ == "coverage":
    import sys
    from importlib import import_module
    from pathlib import Path

    _root = Path(__file__).resolve().parent.parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != _root]
    del sys.modules["coverage"]
    sys.modules["coverage"] = import_module("coverage")
