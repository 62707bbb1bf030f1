"""The figures of `make bench` as one page of plots."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {"offhook": "#0b6e4f", "reference": "#b0b0b0"}

type Figures = dict[str, Any]


def draw(told: Figures, path: Path) -> None:
    """Write the page.

    Args:
        told: What `make bench` measured.
        path: An SVG file, written anew.
    """
    mpl.rcParams["svg.hashsalt"] = "offhook"
    figure = Figure(figsize=(12, 7), layout="constrained")
    figure.suptitle(f"offhook, {told['date']} · {told['machine']}")
    cost, up, down, blocked, shares, clear = figure.subplots(2, 3).flat
    _cost(cost, told)
    _percentiles(up, told, "uplink", "caller's frame in → Gemini's socket")
    _percentiles(down, told, "downlink", "Gemini's audio in → first media")
    _blocks(blocked, told)
    _shares(shares, told)
    _clear(clear, told["barge_ins"]["clear"]["histogram_ms"])
    figure.savefig(path, format="svg", metadata={"Date": None})


def _cost(axes: Axes, told: Figures) -> None:
    axes.set_title("CPU per call")
    for server, colour in COLOURS.items():
        loads = [each for each in told["loads"] if each["server"] == server]
        calls = [each["calls"] for each in loads]
        axes.plot(calls, [each["cpu_ms_per_call_second"] for each in loads], "o", color=colour)
    axes.set_xscale("log")
    axes.set_xlabel("calls at once")
    axes.set_ylabel("ms per call-second")
    axes.set_ylim(bottom=0)
    axes.legend(COLOURS)


def _percentiles(axes: Axes, told: Figures, way: str, title: str) -> None:
    axes.set_title(title)
    for each in told["loads"]:
        if each["calls"] in {1, 50} and each[way]["valid"]:
            style = "-" if each["calls"] == 1 else ":"
            colour = COLOURS[each["server"]]
            axes.plot(each[way]["histogram_ms"], range(101), style, color=colour, lw=1)
    axes.set_xscale("log")
    axes.set_xlabel("ms (one call: line, 50 calls: dots)")
    axes.set_ylabel("percentile")
    axes.axvline(3, color="black", lw=0.5)
    axes.axvline(10, color="black", lw=0.5)


def _blocks(axes: Axes, told: Figures) -> None:
    axes.set_title("event loop: blocks over 5 ms")
    for server, colour in COLOURS.items():
        blocks = sorted(told["watched"][server]["blocks_over_5_ms"], reverse=True)
        axes.plot(blocks, ".", color=colour)
    axes.set_xlabel("block, longest first")
    axes.set_ylabel("CPU ms")
    axes.set_ylim(bottom=0)


def _shares(axes: Axes, told: Figures) -> None:
    axes.set_title("where the CPU goes")
    parts = list(dict.fromkeys(part for each in told["profile"].values() for part in each))
    for n, (server, colour) in enumerate(COLOURS.items()):
        shares = [100 * told["profile"][server].get(part, 0) for part in parts]
        axes.barh([at + 0.4 * n for at in range(len(parts))], shares, 0.4, color=colour)
    axes.set_yticks(range(len(parts)), parts)
    axes.invert_yaxis()
    axes.set_xlabel("% of samples")


def _clear(axes: Axes, percentiles_ms: list[float]) -> None:
    axes.set_title("interrupted → clear")
    axes.plot(percentiles_ms, range(101), color=COLOURS["offhook"])
    axes.axvline(5, color="black", lw=0.5)
    axes.axvline(10, color="black", lw=0.5)
    axes.set_xlabel("ms")
    axes.set_ylabel("percentile")
    axes.set_xlim(left=0)
