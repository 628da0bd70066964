"""The plots of docs/performance.md, drawn from the results of benches/comparison/run."""
import statistics

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402, the backend must be chosen first
from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: E402

STYLES = {
    "recv": dict(color="#888888", linestyle=":"),
    "sluice": dict(color="#0066cc", linewidth=2.5),
    "sluice, the command": dict(color="#66a3e0"),
    "libpq, single row": dict(color="#cc6600"),
    "newer libpq, single row": dict(color="#e0a366", linestyle="--"),
    "newer libpq, chunks of 256": dict(color="#994d00", linestyle="-."),
    "newer libpq, COPY": dict(color="#b8860b", linestyle=":"),
    "newer libpqxx, stream": dict(color="#2e8b57", linewidth=2),
    "libpqxx, stream": dict(color="#2e8b57"),
    "libpqxx, cursor": dict(color="#77b88f", linestyle="--"),
    "libpqxx, exec": dict(color="#aa3355"),
}


def plain(value, _=None):
    for unit, name in [(1e9, "G"), (1e6, "M"), (1e3, "k")]:
        if value >= unit:
            return f"{value / unit:g} {name}"
    return f"{value:g}"


def figure(title, horizontal, vertical):
    drawing, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, which="major", color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return drawing, axes


def logarithmic_height(axes):
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(plain))
    axes.yaxis.set_minor_formatter(NullFormatter())


def lines(axes, of_client, shown):
    """of_client: {client: {x: y}}; shown: the label of a client"""
    for name, points in of_client.items():
        if name in STYLES and points:
            axes.plot(list(points), list(points.values()), marker=".", label=shown(name), **STYLES[name])
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def save(drawing, path):
    drawing.savefig(path, metadata={"Date": None})
    pyplot.close(drawing)


def draw_throughput(results, path):
    drawing, axes = figure("Throughput by the size of a row, replay server (higher is better)", "bytes of a document",
                           "MB of documents per second")
    logarithmic_height(axes)
    of_client = {}
    for entry in results.of("sizes"):
        for name, runs in entry["runs"].items():
            rate = statistics.median(run["bytes"] / run["wall_us"] for run in runs)
            of_client.setdefault(name, {})[entry["document_size"]] = rate
    lines(axes, of_client, results.shown)
    save(drawing, path)


def draw_memory(results, path):
    drawing, axes = figure("Peak memory by the number of rows (lower is better, flat is bounded)", "rows",
                           "peak RSS, MiB")
    logarithmic_height(axes)
    for entry in results.of("memory"):
        lines(axes, {name: {int(rows): kib / 1024 for rows, kib in peaks.items()}
                     for name, peaks in entry["peak_rss_kib"].items()}, results.shown)
    save(drawing, path)


def draw_first_row(results, path, names, sizes):
    drawing, axes = figure("Time to the first row by the size of the result, real server (lower is better)",
                           "rows of the result", "microseconds")
    logarithmic_height(axes)
    times = results.times("first_row")
    lines(axes, {shown: {rows: statistics.median(times[f"{size}/{name}"]) for size, rows in sizes.items()}
                 for name, shown in names.items()}, results.shown)
    save(drawing, path)


def draw_early_stop(results, path, names):
    drawing, axes = figure("Ten rows of a million and another query, real server (lower is better)",
                           "microseconds until the other query is answered", "")
    medians = {results.shown(shown): statistics.median(results.times("early_stop")[name]) for name, shown in names.items()}
    ordered = sorted(medians, key=medians.get, reverse=True)
    bars = axes.barh(ordered, [medians[name] for name in ordered],
                     color=["#0066cc" if name.startswith("sluice") else "#bbbbbb" for name in ordered])
    axes.bar_label(bars, labels=[f"{medians[name]:,.0f}" for name in ordered], padding=4, fontsize=8)
    axes.margins(x=0.15)
    save(drawing, path)


def draw_all(results, folder, first_row, sizes, early_stop):
    # Identical data gives an identical file, and text is stored as text.
    matplotlib.rcParams.update({"svg.hashsalt": "sluice", "svg.fonttype": "none", "font.size": 9})
    draw_throughput(results, folder / "throughput-by-row-size.svg")
    draw_memory(results, folder / "memory-by-rows.svg")
    draw_first_row(results, folder / "first-row-by-size.svg", first_row, sizes)
    draw_early_stop(results, folder / "early-stop.svg", early_stop)
