"""A bill as PDF. The same bill always gives the same file, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from matplotlib import get_data_path

from ari_app.domain.ledger.bills import Bill
from ari_app.views.bills.bill import COLUMNS, bill_facts, bill_rows

# PDF's built-in fonts lack most of the world's letters; these fonts come with matplotlib.
_FONTS = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
_WIDTHS = (40, 40, 15, 25)
_RULED = ("total", "closing balance")


def write_pdf(file: IO[bytes], bill: Bill) -> None:
    """Writes the bill on pages of US Letter."""
    pdf = FPDF(format="letter")
    for style, name in _FONTS.items():
        pdf.add_font("dejavu", style, Path(get_data_path()) / "fonts" / "ttf" / name)
    title = f"{bill.kind.capitalize()} {bill.number}"
    pdf.set_title(title)
    pdf.set_creation_date(datetime.fromtimestamp(bill.issued_at / 1000, UTC))
    pdf.set_margin(20)
    pdf.add_page()
    pdf.set_font("dejavu", "B", 20)
    pdf.cell(h=16, text=title, new_x="LMARGIN", new_y="NEXT")
    for name, value in bill_facts(bill).items():
        pdf.set_font("dejavu", "B", 9)
        pdf.cell(24, 6, name.capitalize())
        pdf.set_font("dejavu", "", 9)
        pdf.multi_cell(0, 6, value, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(8)
    _table(pdf, bill)
    file.write(bytes(pdf.output()))


def _table(pdf: FPDF, bill: Bill) -> None:
    pdf.set_font("dejavu", "", 9)
    layout = TableBordersLayout.HORIZONTAL_LINES
    align = ("LEFT", "LEFT", "RIGHT", "RIGHT")
    with pdf.table(borders_layout=layout, col_widths=_WIDTHS, text_align=align, line_height=7) as table:
        for row in [COLUMNS, *bill_rows(bill)]:
            pdf.set_font("dejavu", "B" if row[0] in _RULED else "", 9)
            table.row(["" if cell is None else str(cell) for cell in row])
