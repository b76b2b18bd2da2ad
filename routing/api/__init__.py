"""The API of where requests go; ``accounting.api`` has the rest, and what the two share."""
