"""Flight tests in a planner's own repository: the pytest plugin and what it hands out.

This module stays empty of imports: pytest loads it wherever Skymist is installed.
"""
