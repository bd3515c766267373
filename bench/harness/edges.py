"""What the edges cost: instructions with them and without.

The library is copied and what is noted at each suspension is taken out: what a task waits for, and in which line. Both are
built in the same way, and the same programs counted.
"""
import os
import pathlib
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from . import instructions, peers

ALLOWED = 0.02
COUNTED = [item for item in instructions.COUNTED if item[0] in ("spawn_join", "yield", "await") and item[1] != "watched"]
FLAGS = ["-std=c++20", "-O2", "-DNDEBUG", "-pthread"]
LIBRARIES = ["-luring"] if pathlib.Path("/usr/include/liburing.h").exists() else []
TAKEN_OUT = {  # file: pairs of what is there and what takes its place
    "include/asyncio/core/waiter.h": [
        (": goes_on_(goes_on),\n          kind_(kind),\n          doing_(Doing::something),\n"
         "          subject_at_(subject != nullptr ? words_to(subject) : 0) {}",
         ": goes_on_(goes_on) { (void)kind, (void)subject; }"),
        ("{ doing_ = doing; }", "{ (void)doing; }"),
        ("        kind_ = kind;\n        subject_at_ = words_to(subject);\n", "        (void)kind, (void)subject;\n"),
        ("        subject_at_ = static_cast<std::uint8_t>(words_to(subject) | is_inside);\n", "        (void)subject;\n"),
        ("{ fd_ = fd; }", "{ (void)fd; }"),
        ("    GoesOn goes_on_ : 1;\n    WaitKind kind_ : 5;\n    Doing doing_ : 2;\n    std::uint8_t subject_at_;", "    GoesOn goes_on_;\n"
         "    static constexpr WaitKind kind_ = WaitKind::nothing;\n    static constexpr std::uint8_t subject_at_ = 0;"),
        ("    int fd_ = 0;", "    static constexpr int fd_ = 0;"),
    ],
    "include/asyncio/core/promise.h": [
        (", place_or_error_(__builtin_bit_cast(std::uintptr_t, function.place)) {}", ", place_or_error_(0) {}"),
        ("        place_or_error_ = __builtin_bit_cast(std::uintptr_t, where);\n        if", "        (void)where;\n        if"),
        ("        place_or_error_ = __builtin_bit_cast(std::uintptr_t, where);\n    }", "        (void)where;\n    }"),
        ("{ return __builtin_bit_cast(std::source_location, place_or_error_); }", "{ return {}; }"),
    ],
    "src/introspect/description.cpp": [
        ("offsetof(Waiter, subject_at_) - 1", "0"), ("offsetof(Waiter, subject_at_)", "0"), ("offsetof(Waiter, fd_)", "0"),
    ],
}


def copy_without(to):
    for folder in ("include", "src"):
        subprocess.run(["cp", "-r", peers.BENCH.parent / folder, to], check=True)
    for name, pairs in TAKEN_OUT.items():
        text = (to / name).read_text()
        for there, instead in pairs:
            if there not in text:
                raise SystemExit(f"{name} has no {there!r} any more: say in {__file__} what stands for it")
            text = text.replace(there, instead)
        (to / name).write_text(text)


def build(source, out):
    """All of the library as one translation unit, and the programs."""
    out.mkdir()
    files = sorted(path for path in (source / "src").rglob("*.cpp") if path.relative_to(source).parts[1] not in ("tls", "process"))
    (out / "library.cpp").write_text("".join(f'#include "{path}"\n' for path in files))
    include = [f"-I{source}/include", f"-I{source}/src", f"-I{peers.BENCH}/support"]
    subprocess.run(["g++", *FLAGS, *include, "-w", "-c", out / "library.cpp", "-o", out / "library.o"], check=True)
    for workload in {item[0] for item in COUNTED}:
        subprocess.run(["g++", *FLAGS, *include, peers.BENCH / "workloads" / workload / "ours.cpp", out / "library.o",
                        *LIBRARIES, "-o", out / workload], check=True)


def check():
    """0 if they cost no more than is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        copy, root = pathlib.Path(folder) / "copy", pathlib.Path(folder)
        copy.mkdir()
        copy_without(copy)
        build(peers.BENCH.parent, root / "with")
        build(copy, root / "without")

        def one(item):
            workload, form, small, large = item
            return [instructions.per_operation(root / which / workload, form, small, large, False) for which in ("without", "with")]

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counts = list(pool.map(one, COUNTED))
    print(f"{'instructions per operation':<28}{'without':>10}{'with edges':>12}")
    too_much = 0
    for (workload, form, *_), (without, with_edges) in zip(COUNTED, counts):
        more = with_edges / without - 1
        too_much += more > ALLOWED
        print(f"{workload + '/' + form:<28}{without:10.1f}{with_edges:12.1f}{100 * more:+7.1f} %")
    return 1 if too_much else 0
