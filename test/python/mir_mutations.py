"""Text of MIR with mistakes in it, for the tests of its reader: each mutant differs in a few places.

    python test/python/mir_mutations.py 2000 7      tries 2000 mutants of each text, from seed 7 on

A mutant must be refused with a line and a reason, or compile on both back ends. It is never run.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

from simple_jit import InvalidMir, LocalExecutionManager, mir_of

GOLDEN = Path(__file__).parent / "golden" / "mir" / "every_instruction.mir"
PROGRAMS = (
    "fn fib(n: i64) -> i64: if n < 2: n else: fib(n - 1) + fib(n - 2)",
    "fn total(xs: [i64]) -> i64:\n    var sum = 0\n    for i in 0..xs.len(): sum += xs[i]\n    sum",
    "struct P:\n    x: i64\n    y: f32\nfn p(a: i64, b: f64) -> P: P(a / 3, b as f32)\nfn q(p: P) -> bool: p.x > 2 and p.y < 1.5f32",
    "fn kind(n: i64) -> text:\n    match n:\n        case 0: \"none\"\n        case 1: \"one\"\n        case 5: \"five\"\n        case _: \"many\"",
    "fn pair(a: i8, b: u64?) -> (u64?, i8): (b, a)\nfn hex(n: u8) -> u32: (n as u32) << 4 | 15u32",
)  # fmt: skip
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[%@]?[A-Za-z0-9_.]+|[^\sA-Za-z0-9_]|\s+')
_WORDS = re.findall(r"\S+", """
i8 u8 i16 i32 u32 i64 u64 f32 f64 bool ref ptr add sub div rem shl convert bitcast select load store check
index call extern call_pointer code type_id text const copy return jump branch switch throw unreachable
b0 b1 b2 b99 %0 %1 %2 %7 %999999 @main.fib(i64) @puts @rt_exit NilError Recorded IndexError raises cold
0 1 -1 8 255 9223372036854775807 99999999999999999999 1e999 nan inf true nil ( ) [ ] { } , : ! + - * ->
""")


_OTHERS = """type "[(i64,text)]" array 16 [8]

fn @m.g(%0: i64, %1: f64) -> i64, f64 {
b0:
  return %0, %1
}

fn @"m.h<[T]>(a, b)"() {
b0:
  return
}

"""


def texts() -> list[str]:
    """Return the texts that mutants are made of."""
    every = GOLDEN.read_text(encoding="utf-8").replace(" c_convention", "").replace("@rt_write(%13)", "@rt_flush()")
    return [_OTHERS + every, *map(mir_of, PROGRAMS)]


def mutant(text: str, seed: int) -> str:
    """Return `text` with one to three mistakes."""
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        text = rng.choice(_MISTAKES)(text, rng)
    return text


def _tokens(text: str) -> tuple[list[str], list[int]]:
    tokens = _TOKEN.findall(text)
    return tokens, [n for n, token in enumerate(tokens) if not token.isspace()]


def _other_token(text: str, rng: random.Random) -> str:
    tokens, places = _tokens(text)
    if places:
        # Mostly one of the same text, which more often makes something that is nearly right.
        other = tokens[rng.choice(places)] if rng.random() < 0.6 else rng.choice(_WORDS)
        tokens[rng.choice(places)] = other
    return "".join(tokens)


def _same_kind(text: str, rng: random.Random) -> str:
    """Put a token in the place of one of the same kind: a number, a local, a block, a type, an operation."""
    tokens, places = _tokens(text)
    at = rng.choice(places)
    for kind in (r"-?\d+", r"%\d+", r"b\d+", r"[iuf](8|16|32|64)|bool|ref|ptr", r"[a-z_]+"):
        if re.fullmatch(kind, tokens[at]):
            others = [t for t in (*_WORDS, *tokens) if re.fullmatch(kind, t)]
            tokens[at] = rng.choice(others)
    return "".join(tokens)


def _lost_token(text: str, rng: random.Random) -> str:
    tokens, places = _tokens(text)
    if places:
        del tokens[rng.choice(places)]
    return "".join(tokens)


def _swapped(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


def _line_gone(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _line_twice(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return "\n".join(lines)


_MISTAKES = (
    _same_kind, _same_kind, _same_kind, _same_kind, _other_token, _lost_token, _swapped, _line_gone, _line_twice,
)  # fmt: skip


def compiles(managers: list[LocalExecutionManager], text: str) -> bool:
    """Try a mutant on each manager; whatever is raised but a refusal is a defect."""
    for manager in managers:
        try:
            manager.compile(text)
        except InvalidMir as refusal:
            if not (1 <= refusal.line <= text.count("\n") + 1 and refusal.reason):
                raise AssertionError(f"a refusal without a place: {refusal}") from None
            return False
    return True


def main() -> None:
    count, first = int(sys.argv[1]), int(sys.argv[2])
    managers = [LocalExecutionManager.cranelift(), LocalExecutionManager.llvm()]
    accepted = tried = 0
    for text in texts():
        for seed in range(first, first + count):
            changed = mutant(text, seed)
            Path("/tmp/mutant.mir").write_text(changed, encoding="utf-8")
            tried += 1
            try:
                accepted += compiles(managers, changed)
            except Exception as error:
                print(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}", flush=True)
                Path(f"/tmp/mutant-{seed}.mir").write_text(changed, encoding="utf-8")
    print(f"{tried} mutants, {accepted} accepted")


if __name__ == "__main__":
    main()
