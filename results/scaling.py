#!/usr/bin/python3
"""Predicted time of a training step on many ranks, by the formulas of docs/performance.md.

usage: scaling.py                                tables for networks 784-n-n-n-10
       scaling.py --flops 5e10 --bandwidth 2e9   for another machine
       scaling.py --layers 784,500,500,500,10 --batch 500 --ranks 8 [--grid 2x4]   a step: time, messages of rank 0

A step of method adaptive with a trained inverse, centred, inverse.steps 1, a rate for each neuron, alpha not measured."""
import argparse

RANKS = [1, 4, 16, 64, 256, 1024]
WEAK = [64, 128, 256, 512, 1024]
COLUMNS = 8  # of a batch for each rank, in weak scaling
WIDTHS = [500, 2000, 8192, 65536]
BATCHES = [500, 2000, 8192]
BLOCK = 4  # neurons that a rank owns at least
MOST = 1 << 16  # ranks


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flops", type=float, default=1e11, help="operations a second of a rank (1e11)")
    parser.add_argument("--bandwidth", type=float, default=8e8, help="bytes a second that reach a rank (8e8)")
    parser.add_argument("--latency", type=float, default=2e-6, help="seconds of a call for each doubling of ranks (2e-6)")
    parser.add_argument("--memory", type=float, default=5e9, help="bytes a second between a rank and its memory (5e9)")
    parser.add_argument("--input", type=float, default=2e9, help="bytes a second that rank 0 packs and sends (2e9)")
    parser.add_argument("--layers", type=layers, help="inputs,hidden,...,classes: one network instead of the tables")
    parser.add_argument("--batch", type=positive, default=500)
    parser.add_argument("--ranks", type=positive, default=1)
    parser.add_argument("--grid", type=sides, help="DATAxNEURONS; default: that of grid: auto")
    machine = parser.parse_args()
    if machine.grid and (machine.grid[0] * machine.grid[1] != machine.ranks or machine.grid[0] > machine.batch):
        parser.error(f"--grid: must be of {machine.ranks} ranks, and of at most {machine.batch} parts of the batch")
    return machine


def positive(text):
    if int(text) < 1:
        raise ValueError
    return int(text)


def layers(text):
    """[inputs, hidden, ..., classes]"""
    widths = [positive(width) for width in text.split(",")]
    if len(widths) < 3:
        raise ValueError
    return widths


def sides(text):
    """(parts of the data, of the neurons)"""
    data, neurons = map(positive, text.split("x"))
    return data, neurons


def doublings(ranks):
    """Rounds of messages that reach so many ranks."""
    return (ranks - 1).bit_length()


def share(n, parts):
    """The most blocks of neurons, or columns, that one of so many parts gets."""
    return -(-n // parts)


def own_neurons(n, neurons):
    return min(n, BLOCK * share(share(n, BLOCK), neurons))


def matrices(n):
    """(outputs, inputs) of W[1..L], of V[2..L]."""
    top = len(n) - 1
    return [(n[i], n[i - 1]) for i in range(1, top + 1)], [(n[i - 1], n[i]) for i in range(2, top + 1)]


def products(n, neurons, columns):
    """Operations of the rank with most neurons: docs/performance.md, "Work"."""
    (forward, inverse), m = matrices(n), lambda width: own_neurons(width, neurons)
    w = [m(outputs) * (inputs + 1) for outputs, inputs in forward]
    v = [m(outputs) * (inputs + 1) for outputs, inputs in inverse]
    targets = sum(m(outputs) * inputs for outputs, inputs in inverse)
    return 2 * columns * (3 * sum(w) + targets + sum(w[1:]) + 3 * sum(v))


def messages(n, batch, data, neurons):
    """Calls and bytes of the rank with most neurons: gathers along them; reductions along the data."""
    columns, top = share(batch, data), len(n) - 1
    forward, inverse = matrices(n)
    gathered = n[1:] + n[2:top] + n[2:]  # H[1..L], T[2..L-1], f_i(Hn)
    reduced = [(own_neurons(outputs, neurons) + 1) * (inputs + 1) for outputs, inputs in forward + inverse]
    rows = sum(own_neurons(outputs, neurons) for outputs, _ in forward + inverse)
    reduced += [2 * rows, rows, 4 * (top - 1), 6]  # bounds, deviations, score: floats
    along = (len(gathered), sum(4 * width * columns * (neurons - 1) / neurons for width in gathered))
    over = (len(reduced), sum(4 * values for values in reduced))
    return along if neurons > 1 else (0, 0), over if data > 1 else (0, 0)


def passes(n, neurons):
    """Bytes of going over gradient and weights: 2 passes to centre, 3 to update."""
    forward, inverse = matrices(n)
    return 5 * 4 * sum(own_neurons(outputs, neurons) * (inputs + 1) for outputs, inputs in forward + inverse)


def step_time(machine, n, batch, data, neurons):
    """Seconds.  A reduction takes two passes over its vector, and twice the latency.  Input overlaps with it all."""
    (calls, gathered), (sums, reduced) = messages(n, batch, data, neurons)
    work = products(n, neurons, share(batch, data)) / machine.flops + passes(n, neurons) / machine.memory
    wire = (gathered + 2 * reduced * (data - 1) / data) / machine.bandwidth
    waits = machine.latency * (calls * doublings(neurons) + 2 * sums * doublings(data))
    return max(work + wire + waits, 4 * (n[0] + 1) * batch / machine.input)


def grids(ranks, batch):
    return [(data, ranks // data) for data in range(1, ranks + 1) if ranks % data == 0 and data <= batch]


def least_bytes(n, batch, ranks):
    """What grid: auto chooses (src/methods/grid.c)."""
    forward, inverse = matrices(n)
    weights = sum(outputs * (inputs + 1) for outputs, inputs in forward + inverse)
    gathered = sum(n[1:]) + sum(n[2:-1]) + sum(n[2:])

    def received(grid):
        data, neurons = grid
        return gathered * share(batch, data) * (neurons - 1) / neurons + 2 * weights / neurons * (data - 1) / data
    return min(grids(ranks, batch), key=received)


def network(width):
    return [784, width, width, width, 10]


def milliseconds(time):
    """Milliseconds, three digits."""
    return f"{float(f'{1e3 * time:.3g}'):,.10g}"


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def strong(machine):
    print("Strong scaling: ms a step with shards of neurons alone; with the grid of `auto`, where that is another.\n")
    row("width", "batch", *(str(ranks) for ranks in RANKS))
    row(*["---"] * (2 + len(RANKS)))
    for width in WIDTHS:
        for batch in BATCHES:
            cells = []
            for ranks in RANKS:
                n = network(width)
                grid = least_bytes(n, batch, ranks)
                shards, best = (step_time(machine, n, batch, *g) for g in ((1, ranks), grid))
                cells.append(milliseconds(shards) + (f"; {grid[0]}x{grid[1]}: {milliseconds(best)}" if grid[0] > 1 else ""))
            row(str(width), str(batch), *cells)


def weak(machine):
    print(f"\nWeak scaling: ms a step with {COLUMNS} columns of a batch for each rank, shards and grid.\n")
    row("width", *(f"{ranks} ranks, batch {COLUMNS * ranks}" for ranks in WEAK))
    row(*["---"] * (1 + len(WEAK)))
    for width in WIDTHS:
        n, cells = network(width), []
        for ranks in WEAK:
            batch = COLUMNS * ranks
            grid = least_bytes(n, batch, ranks)
            times = (milliseconds(step_time(machine, n, batch, *g)) for g in ((1, ranks), grid))
            cells.append("; ".join(times))
        row(str(width), *cells)


def last_doubling(machine, n, batch, arrange):
    """Ranks from which twice as many save less than a quarter of the time."""
    ranks = 1
    while ranks < MOST and (step_time(machine, n, batch, *arrange(n, batch, 2 * ranks)) <
                            0.75 * step_time(machine, n, batch, *arrange(n, batch, ranks))):
        ranks *= 2
    return str(ranks) if ranks < MOST else f"over {MOST}"


def crossover(machine):
    print("\nRanks from which twice as many save less than a quarter of the time: shards; grid.\n")
    row("width", *(f"batch {batch}" for batch in BATCHES))
    row(*["---"] * (1 + len(BATCHES)))
    for width in WIDTHS:
        row(str(width), *("; ".join(last_doubling(machine, network(width), batch, arrange)
                                    for arrange in (lambda n, batch, ranks: (1, ranks), least_bytes))
                          for batch in BATCHES))


def main():
    machine = arguments()
    if not machine.layers:
        for table in strong, weak, crossover:
            table(machine)
        return
    n = machine.layers
    grid = machine.grid or least_bytes(n, machine.batch, machine.ranks)
    (calls, gathered), (sums, reduced) = messages(n, machine.batch, *grid)
    print(f"grid {grid[0]}x{grid[1]}: {milliseconds(step_time(machine, n, machine.batch, *grid))} ms")
    print(f"gather {calls} calls, {gathered:.0f} bytes; reduction {sums} calls, {reduced:.0f} bytes")


if __name__ == "__main__":
    main()
