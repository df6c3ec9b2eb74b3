"""`python -m gpu.sample OUT.mp4 [--seconds 30]`: writes a 1080p30 sample of a match with sound."""

import argparse
from fractions import Fraction
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gpu.sample", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT.mp4")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--size", default="1920x1080", metavar="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=Fraction, default=Fraction(30), help="for example 30 or 30000/1001")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))

    from gpu.sample.writer import write_sample

    frames = write_sample(options.out, options.seconds, width=width, height=height, rate=options.fps)
    print(f"{options.out}: {frames} frames of {width}x{height}, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
