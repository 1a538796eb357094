"""BENCHMARKS.md and the headline of the README, from what compare.py has measured."""
import json
import math
import os
import re
import statistics

# Workloads, and the largest ratio to PyTorch that is aimed at. The first that fits counts.
MARKS = [
    (r"^op_overhead", 0.03),
    (r"^mlp_tiny", 0.05),
    (r"^mlp_mnist", 0.7),
    (r"^lenet", 0.5),
    (r"^resnet", 0.65),
    (r"^conv3x3.*_fwd$", 0.9),
    (r"^conv3x3.*_fwdbwd$", 0.75),
    (r"^conv1x1", 0.4),
    (r"^softmax|^layernorm|^ew_gelu|^ew_tanh", 0.7),
    (r"^lstm|^gru", 0.6),
    (r"^transformer", 0.9),
    (r"^gemm", 1.02),
    (r"", 1.0),
]
GEOMETRIC_MEAN = 0.5
# Two threads are to be so much faster than one, and nowhere slower, less what differs by chance.
SPEEDUP = [(r"^lenet|^resnet|^transformer", 1.8), (r"", 0.97)]
# The least share of the processor's peak, where one is aimed at.
SHARE_OF_PEAK = [(r"^conv3x3.*_fwd$", 0.8), (r"", None)]
BUILD_SECONDS = 60
NATIVE_GAIN = 0.03
ACCURACY = 99.0


def mark(marks, name):
    return next(value for pattern, value in marks if re.search(pattern, name))


def ratios(row, one="ours", other="torch"):
    """Round by round, for both have met the same speed of the machine there."""
    return [a / b for a, b in zip(row[one], row[other])]


def ratio(row, one="ours", other="torch"):
    return statistics.median(ratios(row, one, other))


def faster(row):
    """Which of the peers has the smaller median."""
    return min((system for system in row if system != "ours"), key=lambda system: statistics.median(row[system]))


def peer_ratio(row):
    return ratio(row, "ours", faster(row))


def mean(rows, of=ratio):
    return math.exp(statistics.fmean(math.log(of(row)) for row in rows.values()))


def speedup(times, name):
    one, two = (statistics.median(times[threads][name]["ours"]) for threads in ("1", "2"))
    return one / two


def shares(row, system):
    """Of the peak that was measured in the same round."""
    return [row["flops"] / time / peak for time, peak in zip(row[system], row["peak"])]


def verdict(met):
    return "met" if met else "**missed**"


def threads_of(threads):
    return f"{threads} thread{'s' if threads != '1' else ''}"


def seconds(values):
    """The median, and the smallest and the largest where they differ in what is shown."""
    # What three digits round to 1000 of a unit is 1 of the next.
    unit, factor = next(((u, f) for u, f in (("s", 1), ("ms", 1e3)) if statistics.median(values) * f >= 0.9995), ("µs", 1e6))
    low, middle, high = (f"{x * factor:.3g}" if x * factor < 1000 else f"{x * factor:.0f}"
                         for x in (min(values), statistics.median(values), max(values)))
    return f"{middle} {unit}" + (f" ({low} to {high})" if (low, high) != (middle, middle) else "")


def table(header, rows):
    return ["| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows]] + [""]


def judged(times, count):
    """For each mark: what is measured, the aim, the figure, whether it is met."""
    found = []
    for threads, rows in times.items():
        for name, row in rows.items():
            found.append((f"`{name}`, {threads_of(threads)}", mark(MARKS, name), ratio(row)))
        if len(rows) == count:
            found.append((f"geometric mean, {threads_of(threads)}", GEOMETRIC_MEAN, mean(rows)))
    return [(what, aim, figure, figure <= aim) for what, aim, figure in found]


def two_threads(times):
    names = [name for name in times.get("1", {}) if name in times.get("2", {})]
    return [(name, mark(SPEEDUP, name), speedup(times, name)) for name in names]


def share(rows, results):
    """How many workloads have been measured, of how many if not of all."""
    count = len(results["workloads"])
    return f"{count}" if len(rows) == count else f"{len(rows)} of {count}"


def summary(results):
    """A few lines on all of it."""
    times, lines = results.get("times", {}), []
    for threads, rows in times.items():
        slower = [name for name, row in rows.items() if ratio(row) > 1]
        lines.append(f"- On {threads_of(threads)}, the geometric mean over {share(rows, results)} workloads is **{mean(rows):.2f}** of "
                     f"PyTorch's time; slower than PyTorch: {len(slower)} of them.")
    if "ops" in results:
        for threads, rows in results["ops"].items():
            slower = [name for name, row in rows.items() if ratio(row) > 1]
            lines.append(f"- On {threads_of(threads)}, over {len(rows)} single ops, it is **{mean(rows):.2f}** of PyTorch's time; slower "
                         f"than PyTorch: {len(slower)} of them.")
    if "peers" in results:
        names = " and ".join(f"{name} {version}" for name, version in results["peers"]["versions"].items())
        for threads, rows in results["peers"]["times"].items():
            slower = [name for name, row in rows.items() if peer_ratio(row) > 1]
            lines.append(f"- On {threads_of(threads)}, it is **{mean(rows, peer_ratio):.2f}** of the time of the faster of {names}; "
                         f"slower than that: {len(slower)} of them.")
    if "job" in results:
        ours, torch = (job_figures(results["job"][system]) for system in ("ours", "torch"))
        lines.append(f"- `mnist`, the whole job on {results['job']['threads']} threads: {ours['whole_s']:.1f} s to "
                     f"{ours['accuracy']:.2f} %; PyTorch {torch['whole_s']:.1f} s to {torch['accuracy']:.2f} %.")
    return lines


def job_figures(runs):
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def commits(results):
    """The last commit that changed what is measured: that of most rows, and what is of another."""
    rows = {f"`{name}`, {threads_of(threads)}": row["commit"]
            for part in ("times", "ops") for threads, of in results.get(part, {}).items() for name, row in of.items()}
    rows |= {part: results[part]["commit"] for part in ("peers", "memory", "job", "build", "native") if part in results}
    most = statistics.mode(rows.values())
    others = {}
    for what, commit in rows.items():
        if commit != most:
            others.setdefault(commit, []).append(what)
    return [f"Measured as of commit {most}" + "".join(f"; at {commit}: {', '.join(names)}"
                                                   for commit, names in others.items()) + "."]


def page(processors):
    """Of all processors that there are figures for."""
    lines = [
        "# Benchmarks", "",
        "Written by `python3 examples/benches/compare.py`, whose `--help` lists its options; not by hand.", "",
        "Each workload was run by all in turn, several rounds of it; a round is the median of 3 repetitions after a warm-up. "
        "A time is the median of the rounds, with the fastest and the slowest; the ratio, below 1 where we are faster, is the "
        "median of the ratios round by round, with the smallest and the largest. PyTorch runs from Python, eagerly, as it is "
        "installed; the workloads are [ours](examples/benches/workloads) and [PyTorch's](examples/benches/pytorch). All in single "
        "precision, on the CPU.", "",
    ]
    for results in processors:
        lines += [f"## {name_of(results)}", "", *summary(results), "", *figures(results)]
    return "\n".join(lines)


def name_of(results):
    machine = results["machine"]
    return f"{machine['cpu']} with {', '.join(machine['features'])}"


def figures(results):
    """All that was measured on one processor."""
    machine, times = results["machine"], results.get("times", {})
    count = len(results.get("workloads", []))
    rounds = sorted({len(row["ours"]) for rows in times.values() for row in rows.values()})
    rounds = " to ".join(str(count) for count in [*rounds[:1], *rounds[1:][-1:]])
    mkl = f", whose products are MKL's for {machine['mkl']}" if machine.get("mkl") else ""
    lines = [f"{machine['cores']} cores, {machine['system']}; {machine['rustc']}; PyTorch {machine['torch']}{mkl}; {rounds} "
             "rounds. " + commits(results)[0], ""]
    marks = judged(times, count)
    missed = [row for row in marks if not row[3]]
    slow = [(f"`{name}`, 2 threads over 1", f"at least {aim}", f"{figure:.2f}") for name, aim, figure in two_threads(times)
            if figure < aim]
    lines += ["### Marks", "", f"Of {len(marks)} marks for the ratio, {len(marks) - len(missed)} are met; of "
              f"{len(two_threads(times))} for the gain of a second thread, {len(two_threads(times)) - len(slow)}. Missed are:", ""]
    lines += table(["what", "mark", "measured"],
                   [(what, f"at most {aim}", f"{figure:.3f}") for what, aim, figure, met in marks if not met] + slow)
    for threads, rows in times.items():
        lines += [f"### {threads_of(threads).capitalize()}", ""]
        lines += table(["workload", "ours", "PyTorch", "ratio", "mark", ""], [
            (f"`{name}`", seconds(row["ours"]), seconds(row["torch"]),
             f"{ratio(row):.3f} ({min(ratios(row)):.3f} to {max(ratios(row)):.3f})", f"{mark(MARKS, name)}",
             verdict(ratio(row) <= mark(MARKS, name))) for name, row in rows.items()])
        judgement = verdict(mean(rows) <= GEOMETRIC_MEAN) if len(rows) == count else "open, for workloads are missing"
        lines += [f"Geometric mean of the ratios: {mean(rows):.3f}; mark {GEOMETRIC_MEAN}: {judgement}.", ""]
    if two_threads(times):
        lines += ["### Two threads over one", "", "Our time on one thread over that on two. Nothing is to be slower on two: a "
                  "mark of 0.97 is 1 less what differs by chance.", ""]
        lines += table(["workload", "gain", "mark", ""], [(f"`{name}`", f"{figure:.2f}", f"{aim}", verdict(figure >= aim))
                                                          for name, aim, figure in two_threads(times)])
    return lines + ops(results.get("ops")) + peers(results.get("peers")) + peak(times) + memory(results.get("memory")) + job(results.get("job")) + build(results)


def ops(found):
    if not found:
        return []
    rows = []
    for threads, of in found.items():
        for name, row in of.items():
            rows.append((f"`{name}`", threads, seconds(row["ours"]), seconds(row["torch"]),
                         f"{ratio(row):.3f} ({min(ratios(row)):.3f} to {max(ratios(row)):.3f})", verdict(ratio(row) <= 1)))
    return ["### Single ops", "", "[One op each](examples/benches/workloads/ops.rs), forward and, if it has a gradient, backward for ones, and [in "
            "PyTorch](examples/benches/pytorch/ops.py). Mark: 1.", ""] + table(
        ["op", "threads", "ours", "PyTorch", "ratio", ""], rows)


def peers(found):
    if not found:
        return []
    rows = []
    for threads, of in found["times"].items():
        for name, row in of.items():
            close = ratios(row, "ours", faster(row))
            rows.append((f"`{name}`", threads, *(seconds(row[system]) for system in ("ours", *found["versions"])),
                         f"{peer_ratio(row):.3f} ({min(close):.3f} to {max(close):.3f})", verdict(peer_ratio(row) <= 1)))
    systems = [f"{name} {version}" for name, version in found["versions"].items()]
    return ["### Beside other frameworks in Rust", "", "The same workloads [in burn, on its backend flex, and in "
            "candle](examples/benches/peers), each in one process for all of them, as PyTorch is, compiled with `-C "
            "target-cpu=native`, which ours is not. What differs: both make the ones that they pull back anew in each step; candle's "
            "SGD has no momentum, and neither its fused softmax nor its fused layer normalisation has a gradient, so that those made of "
            "simpler operations stand there. The ratio is to the faster of the two; mark: 1.", ""] + table(
        ["workload", "threads", "ours", *systems, "ratio", ""], rows)


def peak(times):
    counted = [(threads, name, row) for threads, rows in times.items() for name, row in rows.items() if "peak" in row]
    if not counted:
        return []
    rows = []
    for threads, name, row in counted:
        ours, torch = ([f"{100 * share:.0f} %" for share in (statistics.median(of), min(of), max(of))]
                       for of in (shares(row, "ours"), shares(row, "torch")))
        aim = mark(SHARE_OF_PEAK, name)
        rows.append((f"`{name}`", threads, f"{row['flops'] / 1e9:.3g}", f"{statistics.median(row['peak']) / 1e9:.0f}",
                     "{} ({} to {})".format(*ours), "{} ({} to {})".format(*torch), f"{100 * aim:.0f} %" if aim else "",
                     verdict(statistics.median(shares(row, "ours")) >= aim) if aim else ""))
    return ["### Share of the peak", "", "The peak is what [independent fused multiply-adds](examples/benches/peak.rs) reach in "
            "registers, on as many threads, compiled for the processor's vectors; it was measured in each round, beside the "
            "workload. A product's operations are counted as `2 m n k`, those of a convolution as its definition does them, "
            "and each of its two gradients as many. The kernels of 3x3 need half of these multiplications (Winograd's minimal "
            "filtering), so their share can exceed 100 %: it says how fast the result is there, not how busy the units are.", ""] + table(
        ["workload", "threads", "GFLOP", "peak, GFLOP/s", "ours", "PyTorch", "mark", ""], rows)


def memory(found):
    if not found:
        return []
    rows = []
    for name, row in found["rows"].items():
        ours, torch = (row[system]["peak_mib"] - row[system]["before_mib"] for system in ("ours", "torch"))
        totals = (f"{row[system]['peak_mib']:.0f}" for system in ("ours", "torch"))
        rows.append((f"`{name}`", f"{ours:.1f}", f"{torch:.1f}", f"{ours / torch:.2f}", *totals, verdict(ours <= torch)))
    return ["### Peak memory", "", "By how much the resident set of a process grows at most, in MiB, when it builds the model and does "
            "30 training steps on one thread; and its largest size, with all that it has loaded. What is loaded for the first "
            "training does not count: a tiny one went before. Mark: to grow by no more than PyTorch.", ""] + table(
        ["workload", "ours", "PyTorch", "ratio", "process, ours", "process, PyTorch", ""], rows)


def job(found):
    if not found:
        return []
    lines = ["### The whole job", "", f"`cargo run --release --example mnist` on {found['threads']} threads, and "
             "[the same network](examples/benches/pytorch/mnist.py) with the same data, batches, optimiser and schedule: three epochs "
             "of 60,000 images. The whole job is the program from its start to its end: reading the data, training, testing on "
             f"10,000 images. Mark: {ACCURACY:.0f} %.", ""]
    rows = []
    for system, name in (("ours", "ours"), ("torch", "PyTorch")):
        for run in found[system]:
            rows.append((name, f"{run['whole_s']:.1f} s", f"{run['training_s']:.1f} s", f"{run['accuracy']:.2f} %",
                         verdict(run["accuracy"] >= ACCURACY)))
    return lines + table(["system", "whole job", "training", "test accuracy", ""], rows)


def build(results):
    lines = []
    if "build" in results:
        took = results["build"]["seconds"]
        lines += [f"`cargo build --release -p autodiff` from nothing, with the dependencies downloaded: {took:.0f} s; mark "
                  f"{BUILD_SECONDS} s: {verdict(took <= BUILD_SECONDS)}.", ""]
    if "native" in results:
        rows = results["native"]["rows"]
        lines += ["The default build chooses its kernels at run time. Beside a build with `-C target-cpu=native`, on one thread; "
                  f"mark: at most {1 + NATIVE_GAIN} of its time.", ""]
        lines += table(["workload", "default", "native", "ratio", ""], [
            (f"`{name}`", seconds(row["default"]), seconds(row["native"]), "{:.3f} ({:.3f} to {:.3f})".format(
                ratio(row, "default", "native"), min(ratios(row, "default", "native")), max(ratios(row, "default", "native"))),
             verdict(ratio(row, "default", "native") <= 1 + NATIVE_GAIN)) for name, row in rows.items()])
    return ["### Build", "", *lines] if lines else []


def write(folder, root):
    """Writes the page of the figures in a folder, and its summary between the two markers of the README."""
    processors = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            processors.append(json.load(file))
    with open(os.path.join(root, "BENCHMARKS.md"), "w") as file:
        file.write(page(processors).rstrip() + "\n")
    path = os.path.join(root, "README.md")
    with open(path) as file:
        readme = file.read()
    begin, end = "<!-- benchmarks -->\n", "<!-- end of benchmarks -->\n"
    before, rest = readme.split(begin)
    after = rest.split(end)[1]
    lines = []
    for results in processors:
        machine = results["machine"]
        lines += [f"On {machine['cores']} cores of {name_of(results)}, beside PyTorch {machine['torch']}:", "",
                  *summary(results), ""]
    lines += ["[All figures](BENCHMARKS.md), with their spread and what is aimed at; what is slower, too.", ""]
    with open(path, "w") as file:
        file.write(before + begin + "\n".join(lines) + end + after)
