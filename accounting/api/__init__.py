"""The API below ``/api/``: everything the pages do, for programs. ``docs/api.md`` tells people how."""
