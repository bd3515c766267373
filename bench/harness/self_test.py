"""What the runner does with figures, on programs that only pretend: ./dev bench --self-test, and a test of ctest."""
import unittest
from xml.etree import ElementTree

from . import echo, growth, idle, instructions, measure, plot, report
from .workloads import Form

FORM = Form("talk", "fast", "talking", "word", base=10)


class Pretender:
    """A peer whose operation takes so many nanoseconds."""

    def __init__(self, name, nanoseconds, check=lambda n: n, forms=("fast",)):
        self.name, self.title, self.nanoseconds, self.check, self.forms = name, name.title(), nanoseconds, check, forms

    def has(self, workload):
        return workload == "talk"


class Runs:
    """Stands for the running of programs, and remembers what ran."""

    def __init__(self):
        self.order = []

    def __call__(self, peer, form, size):
        if form.name not in peer.forms:
            raise measure.NoSuchForm
        self.order.append((peer.name, size))
        took = size * peer.nanoseconds * 1e-9
        return {"operations": size, "wall": took, "cpu": took, "bytes": 16.0 * size, "check": peer.check(size)}


def results_of(*peers):
    figures = measure.measure(FORM, list(peers), 3, 0.01, False, Runs())
    row = {"key": FORM.key, "title": FORM.title, "unit": FORM.unit_text, "peers": figures}
    return {"peers": {peer.name: {"title": peer.title} for peer in peers}, "rows": [row]}


class Measuring(unittest.TestCase):
    def test_a_line_of_figures_is_parsed(self):
        figures = measure.parse("operations=5 wall=0.5 cpu=0.25 bytes=-4096 check=10\n")
        self.assertEqual(figures, {"operations": 5, "wall": 0.5, "cpu": 0.25, "bytes": -4096.0, "check": 10})

    def test_a_server_on_one_core_cannot_run_longer_than_the_clock(self):
        echo.check_time({"wall": 0.5, "cpu": 0.5})
        with self.assertRaisesRegex(RuntimeError, "of one core"):
            echo.check_time({"wall": 0.5, "cpu": 1.0})

    def test_the_size_is_what_takes_the_time_and_a_multiple_of_the_base(self):
        figures = measure.measure(FORM, [Pretender("ours", 100)], 3, 0.01, False, Runs())
        self.assertEqual(figures["ours"]["size"], 100_000)
        self.assertAlmostEqual(figures["ours"]["median"], 100)

    def test_the_peers_take_turns_and_begin_in_turn(self):
        runs = Runs()
        measure.measure(FORM, [Pretender("ours", 100), Pretender("asio", 100)], 2, 0.01, False, runs)
        self.assertEqual([name for name, _ in runs.order[-4:]], ["ours", "asio", "asio", "ours"])

    def test_another_result_than_ours_stops_the_run(self):
        with self.assertRaisesRegex(RuntimeError, "other results than ours"):
            measure.measure(FORM, [Pretender("ours", 1), Pretender("asio", 1, lambda n: n - 1)], 1, 0.01, False, Runs())

    def test_a_peer_without_the_form_is_left_out(self):
        figures = measure.measure(FORM, [Pretender("ours", 1), Pretender("node", 1, forms=())], 1, 0.01, False, Runs())
        self.assertEqual(list(figures), ["ours"])

    def test_a_fixed_size_is_the_same_for_all_but_the_slow(self):
        form = Form("talk", "fast", "talking", "word", size=1000, slow_size=100, quick_size=10, base=10)
        peers = [Pretender("ours", 1), Pretender("asio", 1), Pretender("python", 1)]
        sizes = {name: peer["size"] for name, peer in measure.measure(form, peers, 1, 1, False, Runs()).items()}
        self.assertEqual(sizes, {"ours": 1000, "asio": 1000, "python": 100})
        sizes = {name: peer["size"] for name, peer in measure.measure(form, peers, 1, 1, True, Runs()).items()}
        self.assertEqual(set(sizes.values()), {10})

    def test_memory_is_counted_in_bytes(self):
        form = Form("talk", "fast", "talking", "word", "bytes", size=1000, slow_size=100, base=10)
        self.assertEqual(measure.measure(form, [Pretender("ours", 1)], 1, 1, False, Runs())["ours"]["median"], 16)


class Reporting(unittest.TestCase):
    def test_ratios_are_in_ours(self):
        results = results_of(Pretender("ours", 100), Pretender("asio", 250))
        self.assertAlmostEqual(report.ratios(results["rows"][0])["asio"], 2.5)
        self.assertIn("2.50", report.table(results))
        self.assertIn("**100** ±0 % | 250 (2.50)", report.markdown(results))

    def test_who_is_ahead_is_said_but_not_of_the_limit(self):
        results = results_of(Pretender("ours", 100), Pretender("tokio", 50), Pretender("epoll", 10))
        self.assertEqual(report.behind(results), ["talking: Tokio takes 0.50 of our ns per word"])
        self.assertEqual(report.behind(results_of(Pretender("ours", 100), Pretender("asio", 101))), [])

    def test_numbers_have_three_digits(self):
        self.assertEqual([report.number(n) for n in (1.234, 12.34, 123.4, 12345)], ["1.23", "12.3", "123", "12,345"])

    def test_an_earlier_run_is_compared(self):
        before, after = results_of(Pretender("ours", 100)), results_of(Pretender("ours", 50))
        self.assertRegex(report.compare(before, after), r"talking +100 → +50.0 +0.50")

    def test_the_plot_is_well_formed_and_has_a_dot_for_each_peer(self):
        drawing = ElementTree.fromstring(plot.svg(results_of(Pretender("ours", 100), Pretender("asio", 3000))))
        dots = [dot for dot in drawing.iter("{http://www.w3.org/2000/svg}circle") if len(dot)]
        self.assertEqual(len(dots), 2)

    def test_the_plot_leaves_out_what_costs_nothing(self):
        results = results_of(Pretender("ours", 100), Pretender("epoll", 1))
        results["rows"][0]["peers"]["epoll"]["median"] = 0  # bytes of a connection that only the kernel knows
        drawing = ElementTree.fromstring(plot.svg(results))
        self.assertEqual(len([dot for dot in drawing.iter("{http://www.w3.org/2000/svg}circle") if len(dot)]), 1)


class Guarding(unittest.TestCase):
    def test_more_than_three_percent_is_growth(self):
        self.assertFalse(instructions.grown({"a": 100}, {"a": 103}, "a"))
        self.assertTrue(instructions.grown({"a": 100}, {"a": 103.1}, "a"))
        self.assertTrue(instructions.grown({}, {"a": 1}, "a"))

    def test_debug_mode_may_cost_twice_as_much(self):
        self.assertFalse(instructions.is_too_dear("yield/one", 100, 200))
        self.assertTrue(instructions.is_too_dear("yield/one", 100, 200.1))
        self.assertFalse(instructions.is_too_dear("spawn_join/group", 100, 202))
        self.assertTrue(instructions.is_too_dear("spawn_join/group", 100, 204))
        there = {f"{workload}/{form}" for workload, form, *_ in instructions.COUNTED}
        self.assertEqual(set(instructions.DEBUG_COUNTED) - there, set())
        self.assertEqual(set(instructions.DEBUG_ALLOWED_OF) - set(instructions.DEBUG_COUNTED), set())

    def test_memory_is_guarded_likewise(self):
        self.assertFalse(idle.grown({"a": 100}, {"a": 103}, "a"))
        self.assertTrue(idle.grown({"a": 100}, {"a": 103.1}, "a"))
        self.assertTrue(idle.grown({}, {"a": 1}, "a"))

    def test_the_exponent_of_a_power_is_found(self):
        sizes = (10, 100, 1000)
        self.assertAlmostEqual(growth.exponent([(n, 7 * n) for n in sizes]), 1)
        self.assertAlmostEqual(growth.exponent([(n, n * n) for n in sizes]), 2)

    def test_a_heap_may_cost_its_logarithm(self):
        self.assertAlmostEqual(growth.definition("timers/sleep", 1000, 1_000_000), 2)
        self.assertEqual(growth.definition("tasks/gather", 1000, 1_000_000), 1)


def run():
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__(__name__, fromlist=["*"]))
    return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
