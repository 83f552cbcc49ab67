"""A whole evaluation under everything that can end it, compared with the truth.

    python benchmarks/faults.py                        # 10,000 samples, 20 kill -9 of the client; some minutes
    python benchmarks/faults.py --samples 1000 --kills 5

The real command asks a loopback server in a process of its own. A tenth of the samples are faulty in every way the
server knows. The client is killed at random moments, the server is killed and started again, the disk is full, the
folder is read-only; after each of these the same command is given again. In the end, every sample must be there once
with the state and the score that it has in truth, and no request may have been repeated that was not in flight when
something was killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
from fault_world import TASK, Disk, rows

from spatialeval.run.journal import FILE_NAME as JOURNAL
from spatialeval.run.journal import Journal

SERVER = Path(__file__).parents[1] / "tests" / "fault_server.py"


@dataclass(frozen=True)
class Plan:
    """What is done to the evaluation."""

    samples: int = 10_000
    kills: int = 20
    server_kills: int = 6
    full: int = 3
    readonly: int = 3
    concurrency: int = 16
    latency: float = 0.02
    timeout: float = 10.0
    seed: int = 1
    mount: bool = True
    """Give the results a small file system of their own, which can be full; else a limit on files stands for that."""


@dataclass
class Report:
    """What happened, and what is wrong: nothing, one hopes."""

    events: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    requests: int = 0
    repeated: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    states: dict[str, int] = field(default_factory=dict)
    mean: float = 0.0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parent, SERVER.parents[1])))}


def _end(client: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a command; return its exit code and its words."""
    said, _ = client.communicate(timeout=600)
    return client.returncode, said


class Evaluation:
    """The evaluation, its server and its disk, in one folder."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder, self.dice = plan, folder, random.Random(plan.seed)
        self.report = Report()
        made, self.truth = rows(plan.samples, plan.seed)
        (folder / "faults.yaml").write_text(TASK)
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
        self.log = folder / "requests.log"
        self.log.touch()
        self.disk = Disk(folder / "disk", mount=plan.mount)
        self.run_folder = self.disk.place / "results" / "faults" / "openai-m" / "official.plain"
        self.port = 0
        self.start_server()
        self._counted: Counter[str] = Counter()

    def start_server(self) -> None:
        command = [sys.executable, str(SERVER), "--answer", "fault_world:reply", "--latency", str(self.plan.latency)]
        command += ["--log", str(self.log), "--port", str(self.port)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.url = self.server.stdout.readline().strip()
        self.port = int(self.url.rsplit(":", 1)[1].split("/")[0])

    def kill_server(self) -> None:
        self.server.kill()
        self.server.communicate()

    def start_client(self, *, largest_file: int | None = None) -> subprocess.Popen[str]:
        """Give the command, always the same; `largest_file` stands for a full disk where nothing can be mounted."""
        self.report.sessions += 1
        limit = (resource.RLIMIT_FSIZE, (largest_file, largest_file))
        command = ["-t", "faults.yaml", "--data", "rows.jsonl", "-m", "openai:m", "--base-url", self.url]
        command += ["--out", str(self.disk.place / "results"), "-c", str(self.plan.concurrency)]
        command += ["--timeout", str(self.plan.timeout)]
        return subprocess.Popen(
            [sys.executable, "-c", "from spatialeval.cli.main import main; main()", "run", *command],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=(lambda: resource.setrlimit(*limit)) if largest_file else None,  # noqa: PLW1509 - one thread
        )

    def sent(self) -> int:
        """Return how many requests the server has seen."""
        return self.log.read_bytes().count(b"\n")

    def requests(self) -> Counter[str]:
        """Return how often each sample was asked for."""
        return Counter(json.loads(line).partition("?")[0] for line in self.log.read_text().splitlines())

    def note_in_flight(self) -> None:
        """Count what was asked and is not in the journal: it may be asked once more, and nothing else."""
        answered: set[str] = set()
        if (self.run_folder / JOURNAL).exists():
            with Journal.open(self.run_folder / JOURNAL, readonly=True) as journal:
                answered = set(journal.kept())
        new = 0
        for name, sent in self.requests().items():
            if self.truth[name].state != "failed" and name not in answered:
                waste = max(0, sent - self.truth[name].passing)
                new += waste - self._counted[name]
                self._counted[name] = waste
        self.report.in_flight += new
        self.report.most_in_flight = max(self.report.most_in_flight, new)

    def run(self) -> Report:
        """Do everything to the evaluation, let it end, compare."""
        begun = time.monotonic()
        plan = self.plan
        names = {"kill": plan.kills, "server": plan.server_kills, "full": plan.full, "read-only": plan.readonly}
        events = [name for name, count in names.items() for _ in range(count)]
        self.dice.shuffle(events)
        client = None
        for place, event in enumerate(events):
            if event == "read-only":
                client = self.stop(client)
                self.refused_read_only()
            else:
                if event == "full" and not self.disk.mounted:
                    client = self.stop(client)
                    journal = sum(file.stat().st_size for file in self.run_folder.glob("journal.sqlite*"))
                    client = self.start_client(largest_file=journal + 200_000)
                client = client or self.start_client()
                if not self.progress(client, len(events) - place + 1) and event != "full":
                    client = None
                    continue
                client = getattr(self, f"do_{event}")(client)
            self.report.events[event] += 1
        code, said = _end(client or self.start_client())
        if code != 3:
            self.report.wrong.append(f"the last command ended with {code}: {said[-500:]}")
        self.compare()
        self.report.seconds = time.monotonic() - begun
        return self.report

    def progress(self, client: subprocess.Popen[str], parts: int) -> bool:
        """Wait until about a `parts`-th of what is left was asked; return whether the client still runs."""
        before = self.sent()
        left = max(50, self.plan.samples - len(self.requests()))
        enough = before + self.dice.randrange(0, 2 * left // parts + 1)
        while client.poll() is None and self.sent() < enough:
            time.sleep(0.02)
        time.sleep(self.dice.random() * 0.05)
        return client.poll() is None

    def do_kill(self, client: subprocess.Popen[str]) -> None:
        client.kill()
        client.communicate()
        self.note_in_flight()

    def stop(self, client: subprocess.Popen[str] | None) -> None:
        """End a client that runs, so that something can be done without one."""
        if client is not None:
            self.do_kill(client)
            self.report.events["kill"] += 1

    def do_server(self, client: subprocess.Popen[str]) -> subprocess.Popen[str]:
        self.kill_server()
        self.note_in_flight()
        time.sleep(self.dice.random())
        self.start_server()
        return client

    def do_full(self, client: subprocess.Popen[str]) -> None:
        if self.disk.mounted:
            self.disk.fill()
        code, said = _end(client)
        self.disk.empty()
        self.note_in_flight()
        if code != 2 or not ("disk is full" in said or "No space left" in said) or "Traceback" in said:
            self.report.wrong.append(f"a full disk ended the command with {code}: {said[-500:]}")

    def refused_read_only(self) -> None:
        before = self.sent()
        self.run_folder.mkdir(parents=True, exist_ok=True)
        self.disk.freeze(self.run_folder, frozen=True)
        code, said = _end(self.start_client())
        self.disk.freeze(self.run_folder, frozen=False)
        if code != 2 or "writ" not in said or "Traceback" in said:
            self.report.wrong.append(f"a read-only folder ended the command with {code}: {said[-500:]}")
        if self.sent() > before:
            self.report.wrong.append("questions were asked though no answer could be kept")

    def compare(self) -> None:
        """Compare the results with the truth, and the requests with what was in flight."""
        report, wrong = self.report, self.report.wrong
        found = pq.read_table(self.run_folder / "samples.parquet", columns=["key", "state", "score"]).to_pylist()
        names = Counter(row["key"] for row in found)
        if lost := self.truth.keys() - names.keys():
            wrong.append(f"{len(lost)} samples are lost, such as {min(lost)!r}")
        if doubled := [name for name, times in names.items() if times > 1]:
            wrong.append(f"{len(doubled)} samples are there twice, such as {doubled[0]!r}")
        said = {row["key"]: (row["state"], row["score"]) for row in found}
        if other := [name for name, true in self.truth.items() if said.get(name) != (true.state, true.score)]:
            wrong.append(
                f"{len(other)} samples are not what they are in truth, such as {other[0]!r}: {said.get(other[0])}"
            )
        true = [truth.score for truth in self.truth.values() if truth.score is not None]
        summary = json.loads((self.run_folder / "summary.json").read_text())
        report.mean, report.states = summary["score"]["mean"], summary["counts"]
        if abs(report.mean - sum(true) / len(true)) > 1e-12 or summary["score"]["n"] != len(true):
            wrong.append(f"the score is {report.mean} over {summary['score']['n']}; in truth {sum(true) / len(true)}")
        sent = self.requests()
        report.requests = sent.total()
        repeats = {
            name: sent[name] - 1 - truth.passing for name, truth in self.truth.items() if truth.state != "failed"
        }
        report.repeated = sum(repeats.values())
        if report.repeated > report.in_flight or min(repeats.values()) < 0:
            wrong.append(
                f"{report.repeated} requests were repeated, and {report.in_flight} were in flight at the kills"
            )
        if report.most_in_flight > self.plan.concurrency:
            wrong.append(f"{report.most_in_flight} requests were in flight at once, more than {self.plan.concurrency}")

    def close(self) -> None:
        self.kill_server()
        self.disk.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=Plan.samples)
    parser.add_argument("--kills", type=int, default=Plan.kills)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        evaluation = Evaluation(Plan(samples=given.samples, kills=given.kills, seed=given.seed), Path(folder))
        try:
            report = evaluation.run()
        finally:
            evaluation.close()
    print(f"{given.samples:,} samples, seed {given.seed}: {report.sessions} commands in {report.seconds:.0f} s")
    print("events      " + ", ".join(f"{count} {name}" for name, count in sorted(report.events.items())))
    print("states      " + ", ".join(f"{count:,} {name}" for name, count in report.states.items() if count))
    print(f"score       {report.mean:.6f}, as in truth" if not report.wrong else f"score       {report.mean:.6f}")
    print(f"requests    {report.requests:,}; repeated {report.repeated}, in flight at the kills {report.in_flight}")
    print("\n".join(f"WRONG       {each}" for each in report.wrong) or "nothing lost, nothing doubled, nothing wrong")
    sys.exit(bool(report.wrong))


if __name__ == "__main__":
    main()
