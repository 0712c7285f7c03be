"""`make chaos`: one run of the fault suite, and its verdict."""

import asyncio
import os
import sys
import time
from pathlib import Path

from tests.faults.checker import check, in_words
from tests.faults.run import kinds_of, run
from tests.faults.scale import Scale
from tests.faults.views import CHECKS


def main() -> int:
    seed = int(os.environ.get("CHAOS_SEED") or time.time())
    scale = Scale(seed=seed, seconds=float(os.environ.get("SECS") or 180))
    kinds = kinds_of(scale)
    only = os.environ.get("ONLY")
    if only:
        kinds = [k for k in kinds if any(o in k.kind for o in only.split(","))]
    t=time.time()
    evidence = asyncio.run(run(scale, kinds, print, data_dir=Path(f"/tmp/chaos-{seed}")))
    print("ran", time.time()-t)
    import pickle; h=evidence.history; h._pending=set(); h._begun=None; h.failures=[repr(f) for f in h.failures]; pickle.dump(evidence, open(f"/tmp/ev-{seed}.pkl","wb"))
    violations = check(evidence, CHECKS)
    ops = evidence.history.operations
    sends = [o for o in ops if o.kind == "send"]
    print(len(ops), "ops", len(sends), "attempts", sum(o.outcome == "ok" for o in sends), "ok", len({o.key for o in sends if o.outcome=="ok"}), "messages", len(evidence.strikes), "strikes", len(evidence.history.deliveries), "deliveries")
    import traceback
    for f in evidence.history.failures[:3]: print(f)
    for s in evidence.strikes: print(s.kind, s.begun, s.healed)
    print([(round(a,2),b) for a,b in evidence.history.connected][-80:])
    for line in in_words(violations):
        print(line)
    print(time.time()-t)
    return bool(violations)


if __name__ == "__main__":
    sys.exit(main())
