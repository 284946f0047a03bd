# SPDX-License-Identifier: Apache-2.0
"""A campaign as long as one likes; called by scripts/faults inside isolated.py. Exits 1 and prints
the story when a rule was broken."""

import argparse
import os
import pathlib
import random
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from campaign import report  # noqa: E402
from fault_cluster import MODES  # noqa: E402
from faults import FAULTS, KINDS  # noqa: E402
from special_clusters import SHAPES  # noqa: E402

ROUNDS_A_MODE = 6


def read_options():
    parser = argparse.ArgumentParser(
        prog="scripts/faults", description="Harms a real cluster and checks that nothing promised "
        "is lost and that no two servers accept writes at once.",
        epilog="faults: " + ", ".join(f"{name} ({kind})" for name, kind in KINDS.items()))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="decides what is done")
    parser.add_argument("--nodes", type=int, default=3, choices=[3, 4, 5])
    parser.add_argument("--mode", choices=sorted(MODES), help="only this one; default: all in turn")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="plain",
                        help="a cluster that is paused during the harm, has a cascade, or follows "
                        "a remote primary")
    parser.add_argument("--faults", metavar="NAME[,NAME...]",
                        help="these in every round, instead of random ones")
    parser.add_argument("--keep-going", action="store_true",
                        help="go on with a new cluster after a failure")
    options = parser.parse_args()
    options.names = options.faults.split(",") if options.faults else []
    unknown = [name for name in options.names if name not in FAULTS]
    if unknown:
        parser.error(f"unknown fault {unknown[0]}; --help lists them")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    return options


def rounds_of(campaign, options, end):
    chance = random.Random(options.seed)
    while time.monotonic() < end:
        mode = options.mode or chance.choice(sorted(MODES))
        campaign.cluster.set_mode(mode)
        campaign.tell(f"mode {mode}")
        for _ in range(ROUNDS_A_MODE):
            if time.monotonic() >= end:
                return
            if options.names:
                campaign.round(options.names)
            else:
                campaign.random_round()


def run_once(options, end):
    """True when no rule was broken."""
    print(f"seed {options.seed}, {options.nodes} nodes, {options.shape}", flush=True)
    make_cluster, make_campaign = SHAPES[options.shape]
    cluster = make_cluster(options.nodes)
    campaign = None
    begun = time.time()
    try:
        cluster.start()
        campaign = make_campaign(cluster, options.seed)
        rounds_of(campaign, options, end)
    except Exception:  # whatever went wrong, its story is wanted
        traceback.print_exc(file=sys.stdout)
        if campaign is not None:
            print(campaign.story(time.time() - begun if time.time() - begun < 180 else 180))
        else:
            cluster.show_logs()
        return False
    finally:
        if campaign is not None:
            print(report(campaign.figures), flush=True)
        cluster.remove()
    return True


def main():
    options = read_options()
    if "ISOLATED" not in os.environ:
        sys.exit("faults: needs root, for network namespaces: sudo scripts/faults")
    end = time.monotonic() + 60 * options.minutes
    fine = True
    while True:
        this_fine = run_once(options, end)
        fine = fine and this_fine
        if time.monotonic() >= end or (not this_fine and not options.keep_going):
            break
        options.seed += 1
    print("nothing that was promised is lost, no two primaries" if fine else "FAILED", flush=True)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
