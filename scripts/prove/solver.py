"""What Halmos asks its questions: yices over bits and cvc5 over integers, whichever knows first.

    scripts/prove/solver.py FILE               an SMT-LIB file; answers as SMT solvers do
    scripts/prove/solver.py FILE --integers    by cvc5 alone: unsat, or unknown

Yices is quick on masks, shifts and small sums. That a sum of five amounts of 104 bits is the same in another order, or that a linear inequality
holds, is hopeless bit by bit, and of integers clear at once: cvc5 translates bit-vectors into integers without losing anything (Zohar et al.,
*Bit-precise reasoning via int-blasting*, VMCAI 2022). Only its `unsat` is passed on, so that a fault is always shown by values of yices.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

_TIMEOUT_S: Final = 500
_POLL_S: Final = 0.05
# Halmos gives the test contract its balance. Nothing asks for it here, and an array of bit-vectors is no integer.
_BALANCES: Final = re.compile(
    r"\(assert\n \(= balance_\w+ \(store[^\n]*\n|\(declare-fun balance_\w+ \(\) \(Array[^\n]*\n"
)


def main(path: Path) -> int:
    yices = str(Path(sys.executable).with_name("yices-smt2"))
    racing = [
        start(yices, "--smt2-model-format", "--bvconst-in-decimal", str(path)),
        start(sys.executable, __file__, str(path), "--integers"),
    ]
    running, until = list(racing), time.monotonic() + _TIMEOUT_S
    answer = "unknown"
    while running and answer == "unknown" and time.monotonic() < until:
        time.sleep(_POLL_S)
        for solver in [each for each in running if each.poll() is not None]:
            running.remove(solver)
            told = solver.communicate()[0]
            if told.startswith(("sat", "unsat")):
                answer = told
    for solver in running:
        solver.kill()
    print(answer)
    return 0


def start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def refuted(question: str) -> bool:
    """Whether cvc5 shows that nothing satisfies the question's assertions."""
    import cvc5

    asked = _BALANCES.sub("", question)
    if "balance_" in asked:
        return False  # something does ask for it
    solver = cvc5.Solver()
    solver.setOption("solve-bv-as-int", "sum")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, asked.replace("(get-model)", ""), "question")
    while not (command := parser.nextCommand()).isNull():
        if str(command.invoke(solver, parser.getSymbolManager())).strip() == "unsat":
            return True
    return False


if __name__ == "__main__":
    if "--integers" in sys.argv:
        print("unsat" if refuted(Path(sys.argv[1]).read_text(encoding="utf-8")) else "unknown")
    else:
        sys.exit(main(Path(sys.argv[1])))
