"""What a result says: spreads, bars, tables and pictures."""

from pathlib import Path
from xml.etree import ElementTree as ET

from tests.bench.bars import judge
from tests.bench.document import put
from tests.bench.pictures import draw
from tests.bench.report import Report, Run, Spread, flat
from tests.bench.sizes.chart import chart
from tests.bench.sizes.series import PICTURES
from tests.bench.table import markdown, table


def report_of(**costs: tuple[float, ...]) -> Report:
    """Runs of `rooms50x16`, each with a cost; names are those of systems, `_` for `-`."""
    runs = [
        Run(name.replace("_", "-"), "rooms50x16", {"cpu_us": cost, "cpu_us/redis": cost / 2}, 0.5)
        for name, all_costs in costs.items()
        for cost in all_costs
    ]
    return Report(machine="a machine", runs=runs)


def test_all_in_is_without_the_load_balancer() -> None:
    """The cost is the sum of all processes but the load balancer, each of which is told too."""
    figures = flat({"cpu_us": {"gateway": 2.0, "redis": 1.0, "haproxy": 5.0}, "deliveries": 10})
    assert figures["cpu_us"] == 3.0
    assert figures["cpu_us/haproxy"] == 5.0
    assert figures["deliveries"] == 10


def test_a_spread_is_over_all_runs() -> None:
    """A figure is told as the lowest, the median and the highest of its runs."""
    report = report_of(nats=(3.0, 1.0, 2.0))
    assert report.spread("nats", "rooms50x16", "cpu_us") == Spread(1.0, 2.0, 3.0)


def test_a_bar_is_judged_against_the_cheaper_node() -> None:
    """The tightest limit decides, by medians, and the cheaper of Node's adapters is the peer."""
    report = report_of(parley_json=(1.25,), node_redis=(20.0,), node_streams=(10.0,), nats=(1.0,))
    (verdict,) = judge(report)
    assert (verdict.met, verdict.stretch, verdict.limit) == (True, False, 1.3)
    assert verdict.to_node == 0.125
    (missed,) = judge(report_of(parley_json=(2.1,), node_redis=(10.0,), nats=(9.0,)))
    assert (missed.met, missed.limit) == (False, 2.0)


def test_nothing_is_judged_without_peers() -> None:
    """A bar that nobody was measured for is left out."""
    assert judge(report_of(parley_json=(1.0,))) == []


def test_tables_name_what_was_measured() -> None:
    """Both tables have every system with its spread, its parts, and what was skipped."""
    report = report_of(parley_json=(1.0, 2.0, 3.0), nats=(2.0,))
    report.skipped.append("node-redis skipped: node and npm are not on PATH")
    for text in (table(report), markdown(report)):
        assert "2.00 (1.00 to 3.00)" in text
        assert "redis 1.00" in text
        assert "node-redis skipped" in text


def test_pictures_are_well_formed(tmp_path: Path) -> None:
    """Pictures are XML with a bar and a number for each system."""
    draw(report_of(parley_json=(1.0,), nats=(2.0,)), tmp_path)
    root = ET.parse(tmp_path / "bench.svg").getroot()  # noqa: S314  written just now
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}rect")) == 2
    assert {"1.00", "2.00"} <= {text.text for text in root.findall(f"{space}text")}


def test_charts_are_well_formed() -> None:
    """A chart is XML with a line for each figure that was measured."""
    picture = PICTURES[0]
    figures = {line.figure: 1.5 for line in picture.lines}
    runs = [Run(str(size), "gateways", figures, 0.1) for size in (1, 2, 4)]
    root = ET.fromstring(chart(Report(runs=runs), picture))  # noqa: S314  made just now
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == len(picture.lines)


def test_a_result_goes_where_a_document_wants_it(tmp_path: Path) -> None:
    """Between its marks a document gets the new result; all else stays."""
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n")
    put(document, "results", "new")
    text = document.read_text()
    assert "old" not in text
    assert text.startswith("before\n<!-- results -->\n\nnew\n")
    assert text.endswith("<!-- end of results -->\nafter\n")
