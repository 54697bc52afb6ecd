"""Rows under a head, as wide as they need."""


def table(head, rows):
    """The text of a table: cells are texts, and columns that are blank in every row are left out."""
    shown = [column for column in range(len(head)) if any(row[column] for row in rows)]
    lines = [[row[column] for column in shown] for row in [head, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(shown))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
