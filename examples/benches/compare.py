#!/usr/bin/env python3
"""Measures the workloads and the job on MNIST here and elsewhere, side by side, and writes BENCHMARKS.md.

    python3 examples/benches/compare.py --python venv/bin/python              # everything: about half an hour
    python3 examples/benches/compare.py --only conv,lenet --threads 1         # these rows anew, the others stay
    python3 examples/benches/compare.py --parts times --resume --seconds 90   # rows not yet measured at this commit
    python3 examples/benches/compare.py --parts page                          # writes the page only

The interpreter needs `pip install torch` (CPU is enough); this script needs nothing. All systems do the same workload in
turn, round by round, so that a drift of the machine's speed meets all of them. What is measured is kept in the folder results beside
this script, in a file for each processor, and the page is made from all of them. Times depend on whatever else the machine
does: leave it alone.
"""
import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib

import page

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RESULTS = os.path.join(HERE, "results")
TWIN = os.path.join(HERE, "pytorch/workloads.py")
OPS = os.path.join(HERE, "pytorch/ops.py")
PEERS = os.path.join(HERE, "peers/Cargo.toml")
PEAK = os.path.join(HERE, "peak.rs")
# A shorter measurement than the programs' own, for there are several rounds of it.
BRIEF = ["--reps", "3", "--rep-time", "0.05", "--warm-time", "0.2"]
TRAININGS = ["mlp_mnist_sgd", "mlp_mnist_adam", "lenet_mnist_adam", "resnet_cifar_sgd", "lstm_h128_s64_b32",
             "gru_h128_s64_b32", "transformer_block"]
FIRST = ["mlp_tiny_sgd", "mlp_tiny_adam"]
MEMORY_STEPS = 30
NATIVE = ["lenet_mnist_adam", "transformer_block", "gru_h128_s64_b32"]


def output(*command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def executable(*command, env=None):
    """Builds by cargo; the program that comes of it."""
    lines = output("cargo", *command, "--message-format=json-render-diagnostics", env=env).splitlines()
    built = [path for path in (json.loads(line).get("executable") for line in lines) if path]
    return built[-1]


def cpu():
    """Model and vector extensions, as Linux names them."""
    with open("/proc/cpuinfo") as file:
        lines = dict(re.split(r"\s*:\s*", line.strip(), maxsplit=1) for line in file if ": " in line)
    flags = lines.get("flags", "").split()
    known = [flag for flag in ("avx2", "fma", "avx512f", "avx512bw", "avx512vl", "amx_tile") if flag in flags]
    return lines.get("model name", platform.processor()), known


def mkl(python):
    """Which processors the code of MKL is for that PyTorch's products take here; None without MKL."""
    said = output(python, "-W", "ignore", "-c", "import torch; a = torch.ones(64, 64); a @ a",
                  env={**os.environ, "MKL_VERBOSE": "1"})
    found = re.search(r"MKL_VERBOSE .* for Intel\(R\) 64 architecture (.*?),", said)
    return found and found[1]


def machine(python):
    model, features = cpu()
    return {
        "cpu": model,
        "features": features,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "rustc": output("rustc", "--version").strip(),
        "torch": output(python, "-c", "import torch; print(torch.__version__)").strip(),
        "mkl": mkl(python),
    }


def commit(twin="examples/benches/pytorch"):
    """The last commit that changed what is measured, with a + if it has been changed since."""
    measured = ["Cargo.toml", "Cargo.lock", "autodiff", "nn", "optim", "datasets", "train", "examples/src",
                "examples/mnist.rs", "examples/benches/workloads", twin]
    changed = output("git", "status", "--porcelain", "--", *measured)
    return output("git", "log", "-1", "--format=%h", "--", *measured).strip() + ("+" if changed else "")


class Twin:
    """The workloads in another system. It is started once: PyTorch takes seconds for that."""

    def __init__(self, *command, env=None):
        command = [*command, *BRIEF]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.names = json.loads(self.process.stdout.readline())

    def measure(self, threads, name):
        self.process.stdin.write(f"{threads} {name}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["median_s"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(program, threads, name, *flags):
    (row,) = output(program, "--threads", str(threads), "--only", name, "--json", *flags, *BRIEF).splitlines()
    return json.loads(row)


class Peak:
    """What the processor does at most: fused multiply-adds in registers, compiled for the widest vectors that we use."""

    def __init__(self, features):
        self.folder = tempfile.TemporaryDirectory()
        self.program = os.path.join(self.folder.name, "peak")
        vectors = ",".join(f"+{feature}" for feature in ("avx2", "fma", "avx512f") if feature in features)
        output("rustc", "--edition=2024", "-Copt-level=3", f"-Ctarget-feature={vectors}", "-o", self.program, PEAK)

    def measure(self, threads):
        """Operations a second."""
        return float(output(self.program, str(threads)))


def workloads(env=None):
    return executable("bench", "-q", "-p", "examples", "--bench", "workloads", "--no-run", env=env)


def selected(name, options):
    parts = [part for part in options.only.split(",") if part]
    return not parts or any(part in name for part in parts)


def times(options, results):
    program, torch, at = workloads(), Twin(options.python, TWIN), commit()
    peak = Peak(results["machine"]["features"])
    deadline = time.monotonic() + options.seconds
    results["workloads"] = torch.names
    if not any(selected(name, options) for name in torch.names):
        sys.exit(f"--only: there is no such workload; there are {', '.join(torch.names)}")
    # What was measured of changed files may have been measured of other changes.
    known = options.resume and not at.endswith("+")
    for threads in options.threads.split(","):
        rows = results.setdefault("times", {}).setdefault(threads, {})
        for name in torch.names:
            if not selected(name, options) or known and rows.get(name, {}).get("commit") == at:
                continue
            if time.monotonic() > deadline:
                print("out of time: go on by --resume")
                torch.close()
                return
            row = {"ours": [], "torch": [], "commit": at}
            for _ in range(options.rounds):
                ours = measure(program, threads, name)
                row["ours"].append(ours["median_s"])
                row["torch"].append(torch.measure(threads, name))
                if ours["flops"]:
                    row["flops"] = ours["flops"]
                    row.setdefault("peak", []).append(peak.measure(threads))
            rows[name] = row
            save(results)
            print(f"{name:28} {threads} {page.ratio(row):6.2f}", flush=True)
        results["times"][threads] = {name: rows[name] for name in torch.names if name in rows}
    torch.close()


def ops(options, results):
    program, torch, at = workloads(), Twin(options.python, OPS), commit()
    for threads in options.threads.split(","):
        rows = results.setdefault("ops", {}).setdefault(threads, {})
        for name in torch.names:
            if not selected(name, options):
                continue
            row = rows[name] = {"ours": [], "torch": [], "commit": at}
            for _ in range(options.rounds):
                row["ours"].append(measure(program, threads, name, "--ops")["median_s"])
                row["torch"].append(torch.measure(threads, name))
            save(results)
            print(f"{name:28} {threads} {page.ratio(row):6.2f}", flush=True)
    torch.close()


def peers(options, results):
    """Candle and burn, each in a process for all workloads, as PyTorch is, and compiled for this processor, as we are not."""
    program, native = workloads(), os.environ | {"RUSTFLAGS": "-C target-cpu=native"}
    target = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "peers")
    peer = executable("build", "-q", "--release", "--manifest-path", PEERS, "--target-dir", target, env=native)
    with open(PEERS, "rb") as file:
        depends = tomllib.load(file)["dependencies"]
    versions = {"burn": depends["burn"]["version"].lstrip("="), "candle": depends["candle-core"].lstrip("=")}
    results["peers"] = {"commit": commit("examples/benches/peers"), "versions": versions, "times": {}}
    for threads in options.threads.split(","):
        # Their pools are as large as the environment says when they start.
        env = os.environ | {"RAYON_NUM_THREADS": threads}
        twins = {system: Twin(peer, system, env=env) for system in versions}
        rows = results["peers"]["times"].setdefault(threads, {})
        for name in twins["burn"].names:
            rows[name] = {system: [] for system in ("ours", *twins)}
            for _ in range(options.rounds):
                rows[name]["ours"].append(measure(program, threads, name)["median_s"])
                for system, twin in twins.items():
                    rows[name][system].append(twin.measure(threads, name))
            save(results)
            print(f"{name:28} {threads} {page.ratio(rows[name], 'ours', page.faster(rows[name])):6.2f}", flush=True)
        for twin in twins.values():
            twin.close()


def memory(options, results):
    program = workloads()
    results["memory"] = {"commit": commit(), "rows": {}}
    for name in TRAININGS:
        # What is loaded when an optimiser is first used is none of the step's.
        names = [*FIRST, name]
        ours = output(program, "--threads", "1", "--only", ",".join(names), "--steps", str(MEMORY_STEPS))
        theirs = output(options.python, TWIN, input="".join(f"1 {name} {MEMORY_STEPS}\n" for name in names))
        row = {system: json.loads(printed.splitlines()[-1]) for system, printed in (("ours", ours), ("torch", theirs))}
        row = {system: {key: found[key] for key in ("before_mib", "peak_mib")} for system, found in row.items()}
        results["memory"]["rows"][name] = row
        save(results)
        print(f"{name:28} {row}", flush=True)


def job(options, results):
    program, cores = executable("build", "-q", "--release", "-p", "examples", "--example", "mnist"), os.cpu_count()
    commands = {
        "ours": [program, "--threads", str(cores)],
        "torch": [options.python, os.path.join(HERE, "pytorch/mnist.py"), "--threads", str(cores)],
    }
    rows = {"threads": cores, "commit": commit(), "ours": [], "torch": []}
    for _ in range(options.job_rounds):
        for system, command in commands.items():
            start = time.perf_counter()
            printed = output(*command, stderr=subprocess.STDOUT)
            run = {"whole_s": time.perf_counter() - start}
            run["training_s"] = float(re.search(r"trained in ([\d.]+) s", printed)[1])
            run["accuracy"] = float(re.search(r"test accuracy: ([\d.]+) %", printed)[1])
            rows[system].append(run)
            print(f"mnist {system} {run}", flush=True)
    results["job"] = rows


def build(options, results):
    """A build from nothing, whose dependencies have been downloaded; and what `target-cpu=native` gains."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"CARGO_TARGET_DIR": folder}
        start = time.perf_counter()
        output("cargo", "build", "-q", "--release", "-p", "autodiff", env=env)
        results["build"] = {"seconds": time.perf_counter() - start, "commit": commit()}
    print(f"clean build {results['build']['seconds']:.1f} s", flush=True)


def native(options, results):
    """The default build, which chooses its kernels when it runs, beside one made for this processor."""
    target = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "native")
    env = os.environ | {"CARGO_TARGET_DIR": target, "RUSTFLAGS": "-C target-cpu=native"}
    programs = {"default": workloads(), "native": workloads(env)}
    results["native"] = {"commit": commit(), "rows": {}}
    for name in NATIVE:
        row = {build: [] for build in programs}
        for _ in range(2 * options.rounds):
            for build, program in programs.items():
                row[build].append(measure(program, 1, name)["median_s"])
        results["native"]["rows"][name] = row
        save(results)
        print(f"{name:28} {page.ratio(row, 'default', 'native'):6.3f}", flush=True)


PARTS = {"times": times, "ops": ops, "peers": peers, "memory": memory, "job": job, "build": build, "native": native}


def file_of(machine):
    """Where what is measured on this processor is kept."""
    words = re.findall(r"[a-z0-9]+", " ".join([machine["cpu"], *machine["features"][-1:]]).lower())
    return os.path.join(RESULTS, "-".join(words) + ".json")


def save(results):
    with open(file_of(results["machine"]), "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}; or page [default: all]")
    parser.add_argument("--only", default="", help="workloads whose name contains one of these, separated by commas")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, separated by commas")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each workload")
    parser.add_argument("--job-rounds", type=int, default=1, help="rounds of the job on MNIST")
    parser.add_argument("--resume", action="store_true", help="leave out what has been timed at this commit")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no other row after so long")
    parser.add_argument("--python", default=sys.executable, help="a Python that imports torch")
    options = parser.parse_args()

    if options.parts != "page":
        here = machine(options.python)
        results = {"machine": here}
        if os.path.exists(file_of(here)):
            with open(file_of(here)) as file:
                results = json.load(file)
        if results["machine"] != here:
            print("other versions than those of the figures for this processor: they are dropped")
            results = {"machine": here}
        for part in options.parts.split(","):
            PARTS[part](options, results)
            save(results)
    page.write(RESULTS, ROOT)


if __name__ == "__main__":
    main()
