"""Missions: the site file, plans on disk, compiling to items, checks, formats of other tools."""
