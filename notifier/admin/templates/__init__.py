"""The editor of a template: contents, names to insert, preview, versions."""
