"""`python -m tests.second 10000 [first seed]`: compare the product with the second calculator over generated firms."""

import sys
from collections import Counter

from tests.second.comparing import compare, describe, shrink
from tests.second.firms import generate

SHOWN = 10


def main(arguments: list[str]) -> int:
    """Print counts and the first differences, each as small as it gets; 1 when there is one."""
    count = int(arguments[0]) if arguments else 1_000
    first = int(arguments[1]) if len(arguments) > 1 else 0
    wrong: list[int] = []
    seen: Counter[str] = Counter()
    for seed in range(first, first + count):
        case = generate(seed)
        seen.update(case.contract.model_fields_set)
        seen["entries"] += len(case.entries)
        if not compare(case):
            continue
        wrong.append(seed)
        if len(wrong) <= SHOWN:
            print(f"\nseed {seed}\n{describe(shrink(case))}")
    print(f"{count} firms, {seen.pop('entries')} entries, {len(wrong)} differ: {wrong[:40]}")
    print("clauses: " + ", ".join(f"{name} {number}" for name, number in sorted(seen.items())))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
