"""Chinese for English: labels of reports, and what records say of flights, vehicles and orders."""
