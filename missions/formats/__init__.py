"""Files of other tools: ground stations, maps, farm systems. One module each, values to text."""
