"""Runs clients in turn, each in its own process, and keeps the measurements of every run."""
import json
import os
import pathlib
import platform
import re
import shlex
import signal
import subprocess
import sys

REFERENCE = "recv"


class Client:
    """A program that reads a relation and prints its counts on the last line."""

    def __init__(self, name, command, streams=True, reads_views=True):
        self.name = name
        self.command = [str(part) for part in command]
        self.streams = streams          # False: keeps the whole result in memory
        self.reads_views = reads_views  # False: reads tables only


def libpqxx_streams_queries(build):
    """From version 7: before, only tables."""
    found = json.loads((build / "meson-info" / "intro-dependencies.json").read_text(encoding="utf-8"))
    version = next(each["version"] for each in found if each["name"] == "libpqxx")
    return int(version.split(".")[0]) >= 7


def clients(build, newer_libpq, newer_libpqxx):
    """All clients, the reference first. newer_libpq: a library; newer_libpqxx: the command of a count-libpqxx."""
    folder = build / "benches" / "comparison"
    found = [
        Client(REFERENCE, [folder / "count-recv"]),
        Client("recv + frame walk", [folder / "count-recv", "--mode", "walk"]),
        Client("sluice", [folder / "count-sluice"]),
    ]
    command = build / "tools" / "sluice"
    if command.exists():
        found.append(Client("sluice, the command", [command, "--count", "--stats"]))
    found.append(Client("libpq, single row", [folder / "count-libpq"]))
    found.append(Client("libpq, COPY", [folder / "count-libpq", "--mode", "copy"]))
    if newer_libpq:
        base = [folder / "count-libpq", "--libpq", newer_libpq]
        found.append(Client("newer libpq, single row", base))
        found.append(Client("newer libpq, chunks of 256", [*base, "--chunked", 256]))
        found.append(Client("newer libpq, COPY", [*base, "--mode", "copy"]))
    versions = [("libpqxx", [folder / "count-libpqxx"], libpqxx_streams_queries(build))]
    if newer_libpqxx:
        versions.insert(0, ("newer libpqxx", shlex.split(newer_libpqxx), True))
    for name, count, streams_queries in versions:
        found.append(Client(f"{name}, stream", [*count, "--mode", "stream"], reads_views=streams_queries))
        found.append(Client(f"{name}, cursor", [*count, "--mode", "cursor"]))
        found.append(Client(f"{name}, exec", [*count, "--mode", "exec"], streams=False))
    return found


def run_once(build, client, dsn, relation):
    """Runs one process from start to end; returns its measurements as a dictionary."""
    command = [str(build / "benches" / "comparison" / "measure"), *client.command, "-d", dsn, relation]
    environment = {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable", **os.environ}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        sys.exit(f"{client.name} failed on {relation} with status {done.returncode}: {done.stderr.strip()}")
    figures = {}
    for line in done.stderr.splitlines() + done.stdout.splitlines():
        figures.update(json.loads(line))
    return figures


def alternate(build, rounds, chosen, dsn, relation, totals=None, only_rows=False):
    """Runs A B C A B C ... and returns each client's runs, except those of a first round that warms up.

    totals: the expected rows and bytes; None: as the first run counts them. only_rows: their bytes may differ."""
    runs = {client.name: [] for client in chosen}
    for round_number in range(rounds + 1):
        for client in chosen:
            figures = run_once(build, client, dsn, relation)
            counted = (figures["rows"], None if only_rows else figures["bytes"])
            totals = totals or counted
            if counted != totals:
                sys.exit(f"{client.name} counts {counted} rows and bytes of {relation}, not {totals}: nothing is reported")
            if round_number > 0:
                runs[client.name].append(figures)
    return runs


def benchmark(program, repetitions):
    """Runs a Google Benchmark program; returns the times of each benchmark's repetitions in microseconds."""
    done = subprocess.run([str(program), f"--benchmark_repetitions={repetitions}", "--benchmark_format=json",
                           "--benchmark_enable_random_interleaving=true", "--benchmark_min_time=0.1"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{program.name} failed with status {done.returncode}: {done.stderr.strip()}")
    microseconds = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
    times = {}
    for run in json.loads(done.stdout)["benchmarks"]:
        if "error_message" in run:
            sys.exit(f"{run['run_name']}: {run['error_message']}")
        if run["run_type"] == "iteration":
            name = re.sub(r"/(real_time|manual_time|iterations:\d+)", "", run["run_name"])
            times.setdefault(name, []).append(run["real_time"] * microseconds[run["time_unit"]])
    return times


class ReplayServer:
    """The replay server for the duration of a with statement."""

    def __init__(self, build):
        self.program = build / "benches" / "replay-server"

    def __enter__(self):
        # Each side gets its own processor, as on two machines. When the scheduler puts both on one, the kernel's copies
        # cost every client several times as much, and the runs are not comparable.
        self.processors = os.sched_getaffinity(0)
        one, *others = sorted(self.processors)
        os.sched_setaffinity(0, {one})
        self.process = subprocess.Popen([str(self.program)], stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(0, set(others) or {one})
        return f"host=127.0.0.1 port={int(self.process.stdout.readline())} user=bench dbname=bench"

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        os.sched_setaffinity(0, self.processors)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
