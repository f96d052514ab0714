"""A report as an HTML page and as a PDF, with the same pictures and words."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jinja2
import matplotlib as mpl
from fpdf import FPDF
from fpdf.fonts import FontFace

from computility.domain.identifiers import Bytes32
from computility.services.ledger_report import LedgerReport

mpl.use("Agg")  # no display is needed, nor looked for
from matplotlib import pyplot  # after the back end is chosen
from matplotlib.ticker import MaxNLocator

_INK, _SECOND, _GRID = "#1f4e79", "#c55a11", "#dddddd"
_CREDIT: Final = 10**18
_MONOPOLY: Final = 10_500
"""A little above the HHI of one seller, so that its line shows."""
_MOST_SCORES: Final = 100
_ENDINGS: Final = {
    "pass": "passed",
    "fail": "failed",
    "finalized": "paid as claimed",
    "reclaimed": "refunded after the end",
    "disputed by default": "court stayed silent",
}
"""How the report's outcomes read below a bar; the others read as they are."""
_MARGIN: Final = timedelta(days=0.7)
_PAGE: Final = jinja2.Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .5rem;text-align:left;overflow-wrap:anywhere}
img{max-width:100%}code{font-size:.85em}
</style></head><body>
<h1>{{ title }}</h1><p>{{ subtitle }}</p>
<table>{% for name, value in figures.items() %}<tr><th scope="row">{{ name }}</th><td>{{ value }}</td></tr>{% endfor %}</table>
{% for caption, picture in pictures.items() %}<h2>{{ caption }}</h2>
<img alt="{{ caption }}" src="data:image/png;base64,{{ picture }}">{% endfor %}
{% for table in tables %}<h2>{{ table.title }}</h2>{% if table.rows %}<table><thead><tr>{% for head in table.heads %}<th>{{ head }}</th>{% endfor %}
</tr></thead><tbody>{% for row in table.rows %}<tr>{% for cell in row %}<td>
{% if cell in links %}<a href="{{ links[cell] }}"><code>{{ cell }}</code></a>
{% else %}{{ cell }}{% endif %}</td>{% endfor %}</tr>{% endfor %}</tbody></table>{% else %}<p>None.</p>{% endif %}{% endfor %}
</body></html>
""",
    autoescape=True,
)


def html_of(report: LedgerReport, proofs: Mapping[Bytes32, str]) -> str:
    """One page with everything in it. ``proofs`` are links by job."""
    pictures = {caption: base64.b64encode(data).decode() for caption, data in _pictures(report).items()}
    page: str = _PAGE.render(
        title="The ledger of computing power",
        subtitle=_subtitle(report),
        figures=_figures(report, proofs),
        pictures=pictures,
        tables=_tables(report),
        links=proofs,
    )
    return page


def pdf_of(report: LedgerReport, proofs: Mapping[Bytes32, str]) -> bytes:
    """The same as A4 pages."""
    pdf = FPDF(format="A4")
    pdf.set_margin(18)
    pdf.set_auto_page_break(auto=True, margin=18)
    pdf.set_title("The ledger of computing power")
    pdf.set_creation_date(datetime.fromtimestamp(report.until, UTC))
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 20)
    pdf.cell(text="The ledger of computing power", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", size=9)
    pdf.multi_cell(0, 5, _latin(_subtitle(report)), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)
    _pdf_table(pdf, None, [[name, value] for name, value in _figures(report, proofs).items()], (1, 2), {})
    for caption, picture in _pictures(report).items():
        if pdf.will_page_break(72):
            pdf.add_page()
        _heading(pdf, caption)
        pdf.image(io.BytesIO(picture), w=pdf.epw)
    for table in _tables(report):
        if pdf.will_page_break(24):
            pdf.add_page()
        _heading(pdf, table["title"])
        if table["rows"]:
            _pdf_table(pdf, table["heads"], table["rows"], table["widths"], proofs)
        else:
            pdf.cell(text="None.", new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _heading(pdf: FPDF, text: str) -> None:
    pdf.ln(4)
    pdf.set_font("Helvetica", "B", 13)
    pdf.cell(text=text, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)
    pdf.set_font("Helvetica", size=8)


def _pdf_table(
    pdf: FPDF, heads: list[str] | None, rows: list[list[str]], widths: tuple[int, ...], links: Mapping[Bytes32, str]
) -> None:
    pdf.set_font("Helvetica", size=7)
    plain = FontFace(emphasis="BOLD", fill_color=(238, 243, 248))
    with pdf.table(
        col_widths=widths,
        borders_layout="HORIZONTAL_LINES",
        headings_style=plain,
        first_row_as_headings=heads is not None,
    ) as table:
        for cells in [heads, *rows] if heads else rows:
            row = table.row()
            for cell in cells:
                row.cell(_latin(cell), link=links.get(Bytes32(cell)))


def _subtitle(report: LedgerReport) -> str:
    return (
        f"{_date(report.since)} to {_date(report.until - 1)} (UTC), whose last block is {report.period_block}, {report.period_hash}. "
        f"Read from the chain up to block {report.last_block}, {report.last_hash}. "
        "Every event was proven against the hash of its block."
    )


def _figures(report: LedgerReport, proofs: Mapping[Bytes32, str]) -> dict[str, str]:
    proven = sum(found.job in proofs for found in report.exceptions)
    return {
        "Jobs opened": f"{report.opened:,}",
        "Jobs closed": f"{report.closed:,}",
        "Volume": _credits(report.volume),
        "Fees": _credits(report.fees),
        "Refunds": _credits(report.refunds),
        "Slashed": _credits(report.slashed),
        "Disputes": f"{report.disputed:,}",
        "Buyers and providers": f"{report.buyers:,} and {report.providers:,}",
        "Concentration (HHI, 0 to 10,000)": f"{report.hhi:,}",
        "Exceptions": f"{len(report.exceptions):,}, of which {proven:,} with their proof beside this report",
    }


def _tables(report: LedgerReport) -> list[dict[str, Any]]:
    return [
        {
            "title": "Largest providers",
            "heads": ["provider", "volume", "share"],
            "widths": (3, 2, 1),
            "rows": [[top.account, _credits(top.volume), f"{top.share_bps / 100:.1f} %"] for top in report.top],
        },
        {
            "title": "Credit scores",
            "heads": ["account", "role", "score", "tier", "changed"],
            "widths": (6, 2, 1, 1, 2),
            "rows": [
                [score.account, score.role, f"{score.score_bps / 100:.1f} %", str(score.tier), _date(score.updated_at)]
                for score in report.scores[:_MOST_SCORES]
            ],
        },
        {
            "title": "Exceptions",
            "heads": ["job", "why", "closed"],
            "widths": (7, 3, 2),
            "rows": [
                [found.job, found.why, _date(found.closed_at) if found.closed_at else "-"]
                for found in report.exceptions
            ],
        },
        {
            "title": "Suspicions",
            "heads": ["rule", "what", "first evidence"],
            "widths": (2, 4, 7),
            "rows": [[alert.rule, alert.what, alert.jobs[0] if alert.jobs else "-"] for alert in report.alerts],
        },
    ]


def _pictures(report: LedgerReport) -> dict[str, bytes]:
    days = [datetime.fromtimestamp(day.start, UTC) for day in report.days]
    outcome = _chart("jobs")
    outcome[1].bar(
        [_ENDINGS.get(name, name) for name in report.outcomes], list(report.outcomes.values()), color=_INK, width=0.5
    )
    _count_from_zero(outcome[1])
    shares = _chart("")
    for at, top in enumerate(report.top):
        shares[1].barh(len(report.top) - at, top.share_bps / 100, color=_INK if at else _SECOND)
    shares[1].set_yticks(range(len(report.top), 0, -1), [top.account[:10] for top in report.top])
    shares[1].set_xlabel("share of volume, %")
    return {
        "Volume": _by_day(days, "credits a day", bars=[day.volume / _CREDIT for day in report.days]),
        "Prices against their reference": _prices(days, report),
        "How jobs ended": _png(outcome[0]),
        "Disputes": _by_day(days, "disputes a day", bars=[day.disputed for day in report.days], counts=True),
        "Scores": _scores(report),
        "Concentration by day": _by_day(days, "HHI", line=[day.hhi for day in report.days], top=_MONOPOLY),
        "Top shares": _png(shares[0]),
    }


def _prices(days: Sequence[datetime], report: LedgerReport) -> bytes:
    figure, axes = _chart("credits a unit, median")
    for name, colour, style, values in (
        ("of the day", _SECOND, "o-", [day.price for day in report.days]),
        ("of the 30 days before", _INK, "--", [day.reference for day in report.days]),
    ):
        known = [(at, value / _CREDIT) for at, value in zip(days, values, strict=True) if value is not None]
        axes.plot([at for at, _ in known], [value for _, value in known], style, color=colour, markersize=3, label=name)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return _dated(figure, axes, days)


def _scores(report: LedgerReport) -> bytes:
    figure, axes = _chart("accounts")
    roles = {"buyer": _SECOND, "provider": _INK}
    axes.hist(
        [[score.score_bps / 100 for score in report.scores if score.role == role] for role in roles],
        bins=[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
        color=list(roles.values()),
        label=[f"{role}s" for role in roles],
    )
    axes.set_xlabel("credit score, %")
    _count_from_zero(axes)
    axes.legend(frameon=False)
    return _png(figure)


def _by_day(
    days: Sequence[datetime],
    label: str,
    *,
    bars: Sequence[float] = (),
    line: Sequence[float | None] = (),
    counts: bool = False,
    top: float | None = None,
) -> bytes:
    figure, axes = _chart(label)
    if bars:
        axes.bar(days, bars, color=_INK, width=0.8)
    known = [(at, value) for at, value in zip(days, line, strict=False) if value is not None]
    axes.plot([at for at, _ in known], [value for _, value in known], color=_SECOND, marker="o", markersize=3)
    if counts:
        _count_from_zero(axes)
    axes.set_ylim(0, top)
    return _dated(figure, axes, days)


def _count_from_zero(axes: Any) -> None:
    """An axis of whole things: no halves, nothing below zero, and room for one where there is none."""
    axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _dated(figure: Any, axes: Any, days: Sequence[datetime]) -> bytes:
    axes.set_xlim(days[0] - _MARGIN, days[-1] + _MARGIN)
    figure.autofmt_xdate()
    return _png(figure)


def _chart(label: str) -> Any:
    figure, axes = pyplot.subplots(figsize=(7.5, 2.9), dpi=150)
    axes.set_ylabel(label)
    axes.grid(axis="y", color=_GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.15)
    return figure, axes


def _png(figure: Any) -> bytes:
    drawn = io.BytesIO()
    figure.tight_layout()
    figure.savefig(drawn, format="png")
    pyplot.close(figure)
    return drawn.getvalue()


def _credits(atoms: int) -> str:
    whole, rest = divmod(atoms, _CREDIT)
    return f"{whole:,}.{rest:018d}".rstrip("0").rstrip(".") + " CRED"


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y")


def _latin(text: str) -> str:
    # The PDF's built-in fonts have Latin-1 only.
    return text.encode("latin-1", "replace").decode("latin-1")
