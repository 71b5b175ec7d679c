"""Run the accuracy experiment: `python benchmarks/accuracy/run.py --help`."""

from accuracy import main

if __name__ == "__main__":
    main()
